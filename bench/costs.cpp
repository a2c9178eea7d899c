// creto_costs: measures what the simulator charges, with the project's own functions, and writes the
// table as a C++ file.
//
//   creto_costs [--out FILE]
//
// Why      A simulation charges from a committed table, and never measures; this makes the table.
// Holds    Each figure is the median of nine runs of at least 10 ms. The id names the values: another
//          table has another id.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/box.hpp"
#include "model/message.hpp"
#include "node/node.hpp"
#include "order/tally.hpp"
#include "order/vote_log.hpp"
#include "rocks/file_vote_log.hpp"
#include "rocks/rocks_store.hpp"
#include "sim/cost.hpp"
#include "state/final_state.hpp"

namespace creto {
namespace {

using Clock = std::chrono::steady_clock;

/// Nanoseconds of one turn.
double measure(const std::function<void(std::size_t turns)>& run) {
    std::vector<double> all;
    std::size_t turns = 1;
    while (all.size() < 9) {
        const auto begun = Clock::now();
        run(turns);
        const std::chrono::duration<double, std::nano> spent = Clock::now() - begun;
        if (spent.count() < 1e7) {
            turns *= 2;
            continue;
        }
        all.push_back(spent.count() / static_cast<double>(turns));
    }
    std::nth_element(all.begin(), all.begin() + 4, all.end());
    return all[4];
}

volatile std::uint64_t sink = 0;

struct Seats {
    Ed25519Scheme scheme;
    std::vector<std::unique_ptr<Signer>> signers;
    Genesis genesis;

    explicit Seats(std::uint32_t n) {
        genesis.network = "costs";
        for (std::uint32_t i = 0; i < n; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i + 1);
            signers.push_back(scheme.signer(KeySeed{seed}));
            genesis.members.push_back(
                {Seat{i}, signers.back()->public_key(), "seat-" + std::to_string(i)}
            );
        }
    }
};

VertexPtr vertex_of(const Seats& seats, const Roster& roster, std::size_t operations, int round) {
    VertexHeader header;
    header.lane = {Seat{0}, {}};
    header.sequence = Sequence{1};
    std::vector<Operation> list;
    for (std::size_t i = 0; i < operations; ++i) {
        KeyOperation set;
        set.key = "final/key-" + std::to_string(i);
        set.value = Bytes(256, static_cast<std::uint8_t>(round));
        list.push_back(
            {roster.members()[0].key,
             std::uint64_t(round) * 1'000'000 + i + 1,
             Height{1'000'000},
             set,
             std::nullopt}
        );
    }
    return SealedVertex::make(header, std::move(list), roster.chain(), *seats.signers[0]);
}

class Null final : public Log {
public:
    [[nodiscard]] bool enabled(LogLevel /*level*/) const override { return false; }
    void write(LogLevel /*level*/, std::string_view /*line*/) override {}
};

class Measurement {
public:
    Measurement() : seats_{4}, roster_{seats_.genesis} {}

    CostTable run() {
        bytes();
        signatures();
        counting();
        applying();
        events();
        disk();
        return table_;
    }

private:
    static std::uint64_t round(double value) { return static_cast<std::uint64_t>(value + 0.5); }

    void bytes() {
        constexpr std::size_t size = 64U << 10U;
        const Bytes plain(size, 7);
        table_.hash_byte_ps = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i)
                    sink = sink + hash(HashDomain::trace, plain).prefix();
            }) *
            1'000 / size
        );
        const Key32 key{};
        Bytes sealed(size + seal_tag_bytes);
        seal(key, 1, {}, plain, sealed.data());
        Bytes out(size + seal_tag_bytes);
        table_.open_byte_ps = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i)
                    sink = sink + (open(key, 1, {}, sealed, out.data()) ? 1 : 0);
            }) *
            1'000 / size
        );
        table_.send_byte_ps = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i)
                    seal(key, i, {}, plain, out.data());
            }) *
            1'000 / size
        );
        const SharedBytes message =
            encode_message(VertexBatch{{vertex_of(seats_, roster_, 200, 1)}});
        table_.decode_byte_ps = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i)
                    sink = sink + decode_message(*message)->index();
            }) *
            1'000 / static_cast<double>(message->size())
        );
        // A message costs its copy into a queue and a share of a system call, on a pipe here.
        int ends[2] = {-1, -1};
        if (::pipe(ends) != 0) std::abort();
        std::array<char, 256> small{};
        table_.send_ns = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i) {
                    if (::write(ends[1], small.data(), small.size()) < 0) std::abort();
                    if (::read(ends[0], small.data(), small.size()) < 0) std::abort();
                }
            }) /
            2
        );
        ::close(ends[0]);
        ::close(ends[1]);
    }

    void signatures() {
        const Bytes message(100, 3);
        const Digest& chain = roster_.chain().value();
        const Signer& signer = *seats_.signers[0];
        table_.sign_ns = round(measure([&](std::size_t turns) {
            for (std::size_t i = 0; i < turns; ++i)
                sink = sink + signer.sign(SignDomain::vote, chain, message).bytes()[0];
        }));
        const Bytes said = signed_bytes(SignDomain::vote, chain, message);
        const Signature signature = signer.sign(SignDomain::vote, chain, message);
        table_.verify_ns = round(measure([&](std::size_t turns) {
            for (std::size_t i = 0; i < turns; ++i)
                sink = sink + (seats_.scheme.verify(signer.public_key(), said, signature) ? 1 : 0);
        }));
    }

    void counting() {
        std::vector<Vote> votes;
        for (std::uint64_t view = 1; view <= 64; ++view)
            for (std::uint32_t seat = 0; seat < 4; ++seat)
                votes.push_back(
                    {{VoteKind::notarize, Epoch{1}, View{view}, View{view - 1}, BlockId{}},
                     Seat{seat},
                     {}}
                );
        table_.tally_ns = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i) {
                    simplex::Tally tally{roster_};
                    for (const Vote& vote : votes)
                        sink = sink + (tally.add(vote).counted ? 1 : 0);
                }
            }) /
            static_cast<double>(votes.size())
        );
    }

    void applying() {
        constexpr std::size_t operations = 500;
        std::vector<VertexPtr> vertices;
        for (int i = 0; i < 40; ++i)
            vertices.push_back(vertex_of(seats_, roster_, operations, i));
        table_.apply_ns = round(
            measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i) {
                    FinalState state{roster_};
                    for (const VertexPtr& vertex : vertices) {
                        Block block;
                        block.epoch = Epoch{1};
                        block.height = state.height().next();
                        block.view = View{block.height.value()};
                        block.executed = state.mark();
                        sink = sink + state.apply(block, block.id(), {vertex}).operations.size();
                    }
                }
            }) /
            static_cast<double>(operations * vertices.size())
        );
    }

    void events() {
        Null log;
        NodeOptions options;
        options.genesis = seats_.genesis;
        options.name = "costs";
        Node node{options, *seats_.signers[0], log};
        Instant now;
        sink = sink + node.on_event(Start{}, now).size();
        table_.event_ns = round(measure([&](std::size_t turns) {
            for (std::size_t i = 0; i < turns; ++i) {
                now = now + Duration::from_us(1);
                sink = sink + node.on_event(Woke{}, now).size();
            }
        }));
    }

    void disk() {
        const auto folder =
            std::filesystem::temp_directory_path() / ("creto-costs-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder);
        {
            auto log = FileVoteLog::open({.path = (folder / "votes").string()});
            if (!log) throw std::runtime_error{log.error().message};
            const Bytes record(160, 1);
            const auto append = [&](std::size_t records) {
                return measure([&](std::size_t turns) {
                    for (std::size_t i = 0; i < turns; ++i)
                        if (!(*log)->append(std::vector<Bytes>(records, record))) std::abort();
                });
            };
            const double one = append(1);
            const double many = append(65);
            table_.sync_ns = round(one);
            table_.append_ns = round(std::max(0.0, (many - one) / 64));
        }
        {
            auto store = RocksStore::open({.dir = (folder / "store").string()});
            if (!store) throw std::runtime_error{store.error().message};
            std::uint64_t number = 0;
            table_.persist_ns = round(measure([&](std::size_t turns) {
                for (std::size_t i = 0; i < turns; ++i) {
                    Writer key;
                    key.u64(++number);
                    const std::vector<KeyWrite> batch{
                        {Column::meta, key.take(), share(Bytes(300, 1))}};
                    if (!(*store)->write(batch, Durable::no)) std::abort();
                }
            }));
        }
        std::filesystem::remove_all(folder);
    }

    Seats seats_;
    Roster roster_;
    CostTable table_;
};

std::string processor() {
    std::ifstream info{"/proc/cpuinfo"};
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown";
}

std::string source_of(const CostTable& table) {
    const std::vector<std::pair<const char*, std::uint64_t>> rows{
        {"event_ns", table.event_ns},
        {"open_byte_ps", table.open_byte_ps},
        {"decode_byte_ps", table.decode_byte_ps},
        {"hash_byte_ps", table.hash_byte_ps},
        {"tally_ns", table.tally_ns},
        {"apply_ns", table.apply_ns},
        {"send_ns", table.send_ns},
        {"send_byte_ps", table.send_byte_ps},
        {"sign_ns", table.sign_ns},
        {"append_ns", table.append_ns},
        {"persist_ns", table.persist_ns},
        {"verify_ns", table.verify_ns},
        {"sync_ns", table.sync_ns}};
    std::ostringstream values;
    for (const auto& [name, value] : rows)
        values << "    table." << name << " = " << value << ";\n";
    const std::string id = hash(HashDomain::trace, as_bytes(values.str())).hex().substr(0, 8);
    std::ostringstream out;
    out << "// Written by `make costs`; never by hand, and never while something is simulated.\n"
           "//\n"
           "// Machine  "
        << processor() << ", " << ::sysconf(_SC_NPROCESSORS_ONLN)
        << " processors\n"
           "#include \"sim/cost.hpp\"\n\nnamespace creto {\n\n"
           "CostTable measured_costs() {\n    CostTable table;\n    table.id = \"measured-"
        << id << "\";\n"
        << values.str() << "    return table;\n}\n\n}  // namespace creto\n";
    return out.str();
}

int run(const std::vector<std::string>& arguments) {
    if (!arguments.empty() && (arguments.size() != 2 || arguments[0] != "--out")) {
        std::cerr << "usage: creto_costs [--out FILE]\n";
        return 2;
    }
    const std::string text = source_of(Measurement{}.run());
    if (arguments.empty()) {
        std::cout << text;
    } else {
        std::ofstream{arguments[1]} << text;
        std::cerr << "written to " << arguments[1] << "\n";
    }
    return 0;
}

}  // namespace
}  // namespace creto

int main(int argc, char** argv) {
    return creto::run({argv + 1, argv + argc});
}
