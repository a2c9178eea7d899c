// The files beside a configuration: the genesis, keys, and whatever is read and written as a whole.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "scale/config.hpp"
#include "scale/nearest.hpp"

namespace creto {

namespace {

/// The fields of one object of genesis.json. What all must agree on is read without guessing: an
/// unknown field or a wrong kind of value is refused. The first thing that is wrong stays.
class Fields {
public:
    Fields(const nlohmann::json& object, std::string path, const std::vector<std::string>& known)
        : object_{object}, path_{std::move(path)} {
        for (const auto& [name, value] : object.items()) {
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            const auto meant = nearest(name, known, 3);
            note(
                "there is no field \"" + path_ + name + "\"" +
                (meant ? "; did you mean \"" + *meant + "\"?" : "")
            );
        }
    }
    std::string text(const char* name, std::optional<std::string> missing = {}) {
        const auto found = object_.find(name);
        if (found == object_.end() && missing) return *missing;
        if (found != object_.end() && found->is_string()) return found->get<std::string>();
        note(path_ + name + " must be a text");
        return {};
    }
    std::uint32_t whole(const char* name, std::optional<std::uint32_t> missing = {}) {
        constexpr std::uint32_t most = ~0U;
        const auto found = object_.find(name);
        if (found == object_.end() && missing) return *missing;
        if (found != object_.end() && found->is_number_unsigned() &&
            found->get<std::uint64_t>() <= most)
            return found->get<std::uint32_t>();
        note(path_ + name + " must be a whole number, 0 to " + std::to_string(most));
        return 0;
    }
    /// Empty when nothing is.
    [[nodiscard]] const std::string& wrong() const { return wrong_; }

private:
    void note(std::string what) {
        if (wrong_.empty()) wrong_ = std::move(what);
    }

    const nlohmann::json& object_;
    std::string path_;
    std::string wrong_;
};

}  // namespace

Result<Genesis> read_genesis(const std::filesystem::path& file) {
    auto text = read_file(file, 1U << 20U);
    if (!text && text.error().code == ErrorCode::not_found) {
        text.error().message += "; put the network's genesis.json there";
    }
    if (!text) return tl::unexpected<Error>(text.error());
    const auto refuse = [&](const std::string& why) {
        return fail(ErrorCode::invalid, file.string() + ": " + why);
    };
    const nlohmann::json doc = nlohmann::json::parse(*text, nullptr, false);
    if (doc.is_discarded() || !doc.is_object()) return refuse("it is not a JSON object");
    Genesis genesis;
    Fields fields{
        doc,
        "",
        {"network",
         "mode",
         "view_interval_ms",
         "term_views",
         "checkpoint_blocks",
         "epoch_blocks",
         "dead_after_reports",
         "guest_operations",
         "guests_total",
         "operators",
         "operators_needed",
         "members"}};
    genesis.network = fields.text("network");
    const std::string mode = fields.text("mode", "byzantine");
    genesis.mode = mode == "crash" ? QuorumMode::crash : QuorumMode::byzantine;
    genesis.view_interval_ms = fields.whole("view_interval_ms", 0);
    genesis.term_views = fields.whole("term_views", 1);
    genesis.checkpoint_blocks = fields.whole("checkpoint_blocks", limits::checkpoint_blocks);
    genesis.epoch_blocks = fields.whole("epoch_blocks", 0);
    genesis.dead_after_reports = fields.whole("dead_after_reports", limits::dead_after_reports);
    genesis.guest_operations = fields.whole("guest_operations", 0);
    genesis.guests_total = fields.whole("guests_total", limits::guests_total);
    genesis.operators_needed = fields.whole("operators_needed", 0);
    if (!fields.wrong().empty()) return refuse(fields.wrong());
    if (mode != "byzantine" && mode != "crash") return refuse("mode must be byzantine or crash");
    if (doc.contains("operators") && !doc["operators"].is_array())
        return refuse("operators must be a list of agents, as `creto keygen` prints them");
    for (const auto& item : doc.value("operators", nlohmann::json::array())) {
        const std::string name = "operators/" + std::to_string(genesis.operators.size());
        if (!item.is_string()) return refuse(name + " must be a text");
        auto key = parse_agent(item.get<std::string>());
        if (!key) return refuse(name + ": " + key.error().message);
        genesis.operators.push_back(*key);
    }
    if (!doc.contains("members") || !doc["members"].is_array())
        return refuse("members must be a list of seats");
    for (const auto& item : doc["members"]) {
        const std::string name = "members/" + std::to_string(genesis.members.size()) + "/";
        if (!item.is_object())
            return refuse(
                "members/" + std::to_string(genesis.members.size()) + " is not an object"
            );
        Fields member{item, name, {"seat", "name", "agent"}};
        const Seat seat{member.whole("seat")};
        const std::string called = member.text("name");
        const std::string key = member.text("agent");
        if (!member.wrong().empty()) return refuse(member.wrong());
        auto agent = parse_agent(key);
        if (!agent) return refuse(name + "agent: " + agent.error().message);
        genesis.members.push_back({seat, *agent, called});
    }
    if (auto good = validate(genesis); !good) return refuse(good.error().message);
    return genesis;
}

std::string genesis_json(const Genesis& genesis) {
    nlohmann::ordered_json members = nlohmann::ordered_json::array();
    for (const Member& member : genesis.members) {
        members.push_back(
            {{"seat", member.seat.value()},
             {"name", member.name},
             {"agent", agent_text(member.key)}}
        );
    }
    nlohmann::ordered_json doc{
        {"network", genesis.network},
        {"mode", genesis.mode == QuorumMode::crash ? "crash" : "byzantine"},
        {"view_interval_ms", genesis.view_interval_ms}};
    if (genesis.term_views != 1) doc["term_views"] = genesis.term_views;
    if (genesis.checkpoint_blocks != limits::checkpoint_blocks)
        doc["checkpoint_blocks"] = genesis.checkpoint_blocks;
    if (genesis.epoch_blocks != 0) doc["epoch_blocks"] = genesis.epoch_blocks;
    if (genesis.dead_after_reports != limits::dead_after_reports)
        doc["dead_after_reports"] = genesis.dead_after_reports;
    if (genesis.guest_operations != 0) doc["guest_operations"] = genesis.guest_operations;
    if (genesis.guests_total != limits::guests_total) doc["guests_total"] = genesis.guests_total;
    if (!genesis.operators.empty()) {
        for (const PublicKey& key : genesis.operators)
            doc["operators"].push_back(agent_text(key));
        doc["operators_needed"] = genesis.operators_needed;
    }
    doc["members"] = std::move(members);
    return doc.dump(2) + "\n";
}

Result<KeySeed> read_key(const std::filesystem::path& file) {
    struct stat info {};
    if (stat(file.c_str(), &info) == 0 && (info.st_mode & 077U) != 0) {
        return fail(
            ErrorCode::denied,
            file.string() + " can be read by others; run: chmod 600 " + file.string()
        );
    }
    auto text = read_file(file, 4096);
    if (!text && text.error().code == ErrorCode::not_found) {
        text.error().message += "; make one: creto keygen " + file.string();
    }
    if (!text) return tl::unexpected<Error>(text.error());
    while (!text->empty() && std::isspace(static_cast<unsigned char>(text->back())) != 0) {
        text->pop_back();
    }
    const auto bytes = from_hex(*text);
    if (!bytes || bytes->size() != KeySeed::size) {
        return fail(ErrorCode::invalid, file.string() + ": expected 64 hexadecimal digits");
    }
    std::array<std::uint8_t, KeySeed::size> seed{};
    std::copy(bytes->begin(), bytes->end(), seed.begin());
    return KeySeed{seed};
}

Result<void> write_key(const std::filesystem::path& file, const KeySeed& seed) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(
            errno == EEXIST ? ErrorCode::conflict : ErrorCode::io,
            file.string() + ": " + std::strerror(errno)
        );
    }
    const std::string text = to_hex(seed.view()) + "\n";
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    ::close(fd);
    if (!written) return fail(ErrorCode::io, file.string() + ": " + std::strerror(errno));
    return {};
}

Result<void> write_file(const std::filesystem::path& file, const std::string& text) {
    const std::filesystem::path beside = file.string() + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return fail(ErrorCode::io, beside.string() + ": " + std::strerror(errno));
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t step = ::write(fd, text.data() + done, text.size() - done);
        if (step <= 0) break;
        done += static_cast<std::size_t>(step);
    }
    const bool good = done == text.size() && ::fsync(fd) == 0;
    ::close(fd);
    if (!good || ::rename(beside.c_str(), file.c_str()) != 0) {
        return fail(ErrorCode::io, file.string() + ": " + std::strerror(errno));
    }
    return {};
}

Result<std::string> read_file(const std::filesystem::path& file, std::size_t bytes_max) {
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        return fail(
            errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
            file.string() + ": " + std::strerror(errno)
        );
    }
    std::string text(bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > bytes_max) {
        return fail(
            ErrorCode::limit,
            file.string() + ": larger than " + std::to_string(bytes_max) + " bytes"
        );
    }
    return text;
}

}  // namespace creto
