#include "sim/flood/flooder.hpp"

namespace creto {

std::vector<Effect> Flooder::on_event(const Event& event, Instant now) {
    const auto* command = std::get_if<Command>(&event);
    const auto* call = command == nullptr ? nullptr : std::get_if<CallTool>(&command->body);
    if (call == nullptr || call->tool != flood_word) return inner_->on_event(event, now);
    Effects out;
    for (std::uint64_t i = 0; i < std::stoull(call->arguments); ++i)
        out.send(
            *call->agent,
            CallStart{
                .id = ++id_, .tool = "add", .arguments = R"({"a":20,"b":22})", .timeout_ms = 10'000}
        );
    out.add(Reply{command->ticket, CallReply{}});
    return out.take();
}

}  // namespace creto
