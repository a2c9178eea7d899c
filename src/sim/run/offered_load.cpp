#include "sim/run/offered_load.hpp"

#include <algorithm>

namespace creto {
namespace {

enum class LoadDraw : std::uint64_t { instant = 1, node = 2, elsewhere = 3 };
constexpr std::uint64_t load_stream = 0x91;
constexpr std::size_t number_bytes = 8;

}  // namespace

OfferedLoad::OfferedLoad(Plan plan, SimCluster& cluster, Recorder& recorder)
    : plan_{std::move(plan)},
      cluster_{cluster},
      recorder_{recorder},
      draws_{plan_.seed, load_stream} {}

void OfferedLoad::begin(const Workload& workload, Duration lasts) {
    workload_ = workload;
    workload_.begin(plan_.seed, lasts);
    until_ = cluster_.now() + lasts;
    cluster_.at(cluster_.now(), [this, turn = ++turn_] { on_slot(turn); });
}

void OfferedLoad::on_slot(std::uint64_t turn) {
    const Instant now = cluster_.now();
    for (const Ticket ticket : answered_)
        cluster_.forget(ticket);
    answered_.clear();
    if (turn != turn_ || now >= until_) return;
    const std::uint64_t count = workload_.next_slot();
    const auto slot = static_cast<std::uint64_t>(Workload::slot.ns());
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t number = next_number_++;
        const std::uint64_t wait = scale_to(draws_(number, std::uint64_t(LoadDraw::instant)), slot);
        cluster_.at(now + Duration::from_ns(static_cast<std::int64_t>(wait)), [this, number] {
            ++submitted_;
            recorder_.on_submitted(cluster_.now());
            offer({cluster_.now(), number, false});
        });
    }
    cluster_.at(now + Workload::slot, [this, turn] { on_slot(turn); });
}

std::vector<std::uint32_t> OfferedLoad::live() const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t node = 0; node < cluster_.size(); ++node)
        if (plan_.takes(node) && cluster_.is_up(NodeIndex{node})) out.push_back(node);
    return out;
}

/// At a live honest node, drawn by the operation's number.
void OfferedLoad::offer(const Pending& operation) {
    const std::vector<std::uint32_t> nodes = live();
    if (nodes.empty()) return recorder_.on_refused();
    const LoadDraw use = operation.is_retry ? LoadDraw::elsewhere : LoadDraw::node;
    submit(
        NodeIndex{nodes[scale_to(draws_(operation.number, std::uint64_t(use)), nodes.size())]},
        operation
    );
}

void OfferedLoad::offer_at_once(std::uint32_t count) {
    const std::vector<std::uint32_t> nodes = live();
    for (std::uint32_t i = 0; i < count; ++i) {
        ++submitted_;
        recorder_.on_submitted(cluster_.now());
        const Pending operation{cluster_.now(), next_number_++, false};
        if (nodes.empty()) {
            recorder_.on_refused();
        } else {
            submit(NodeIndex{nodes[i % nodes.size()]}, operation);
        }
    }
}

void OfferedLoad::submit(NodeIndex node, const Pending& operation) {
    DataOperation data;
    data.payload.resize(plan_.payload_bytes);
    for (std::size_t i = 0; i < std::min(number_bytes, data.payload.size()); ++i)
        data.payload[i] = static_cast<std::uint8_t>(operation.number >> (8 * i));
    const Ticket ticket =
        cluster_.submit(node, Submit{std::move(data), Reading::final, operation_timeout});
    pending_.emplace(ticket, operation);
}

bool OfferedLoad::has_asked(const OperationBody& body) const {
    const auto* data = std::get_if<DataOperation>(&body);
    if (data == nullptr || data->payload.size() != plan_.payload_bytes) return false;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < std::min(number_bytes, data->payload.size()); ++i)
        number |= std::uint64_t{data->payload[i]} << (8 * i);
    return number < next_number_ &&
           std::all_of(
               data->payload.begin() + static_cast<std::ptrdiff_t>(number_bytes),
               data->payload.end(),
               [](std::uint8_t byte) { return byte == 0; }
           );
}

bool OfferedLoad::on_answer(Ticket ticket, const SimCommand& command) {
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return false;
    const Pending operation = found->second;
    pending_.erase(found);
    answered_.push_back(ticket);
    if (const auto* done = std::get_if<SubmitReply>(&*command.reply)) {
        ++final_;
        recorder_.on_final(command.node, operation.intended, done->height);
        if (plan_.on_final) plan_.on_final(command, operation.intended, *done);
    } else if (!operation.is_retry) {
        cluster_.at(
            cluster_.now(),
            [this, again = Pending{operation.intended, operation.number, true}] { offer(again); }
        );
    } else {
        recorder_.on_refused();
    }
    return true;
}

}  // namespace creto
