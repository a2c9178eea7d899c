#include "runtime/event_trace.hpp"

namespace creto {

namespace {

constexpr std::size_t lines_bytes = 64 * 1024;

std::string text(const Vote& vote) {
    return std::string{to_string(vote.content.kind)} + " view " +
           std::to_string(vote.content.view.value());
}

std::string text(const SharedBytes& bytes) {
    const auto message = decode_message(*bytes);
    if (!message) return "malformed";
    std::string out = kind_name(*message);
    if (const auto* vote = std::get_if<Vote>(&*message)) out += " " + text(*vote);
    if (const auto* proposal = std::get_if<Proposal>(&*message)) {
        out += " view " + std::to_string(proposal->block.view.value());
        if (proposal->block.delta.empty()) out += " empty";
    }
    return out;
}

std::string text(Ticket ticket) {
    return std::to_string(ticket.value());
}

/// What happened or is to be done, and with what.
struct Describe {
    EventTrace& trace;

    void operator()(const Received& e) const {
        trace.note("received", text(e.message) + " from " + agent_text(e.from));
    }
    void operator()(const Persisted& e) const { trace.note("persisted", text(e.ticket)); }
    void operator()(const CheckDone& e) const { trace.note("checked", text(e.ticket)); }
    void operator()(const Command& e) const { trace.note("command", text(e.ticket)); }
    void operator()(const Woke& /*e*/) const { trace.note("woke"); }
    void operator()(const Executed& e) const { trace.note("executed", text(e.ticket)); }
    void operator()(const Emitted& e) const {
        trace.note("emitted", text(e.ticket) + " pieces " + std::to_string(e.pieces.size()));
    }
    void operator()(const Send& e) const {
        trace.note("send", text(e.message) + " to " + agent_text(e.to) + " after " + text(e.after));
    }
    void operator()(const Persist& e) const {
        trace.note(
            "persist",
            text(e.ticket) + " writes " + std::to_string(e.writes.size()) + " votes " +
                std::to_string(e.votes.size()) + (e.durable == Durable::yes ? " durable" : "")
        );
    }
    void operator()(const Check& e) const {
        trace.note("check", text(e.ticket) + " items " + std::to_string(e.items.size()));
    }
    void operator()(const Execute& e) const { trace.note("execute", text(e.ticket)); }
    void operator()(const Reply& e) const { trace.note("reply", text(e.ticket)); }
    /// Rare, or nothing that anything waits for.
    template <class T>
    void operator()(const T& /*other*/) const {}
};

}  // namespace

EventTrace::EventTrace(const std::string& path) {
    if (!path.empty()) file_.open(path, std::ios::app);
}

EventTrace::~EventTrace() {
    if (on()) file_ << lines_;
}

void EventTrace::note(std::string_view what, std::string_view detail) {
    if (!on()) return;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    const std::lock_guard lock{mutex_};
    lines_ += std::to_string(ns);
    lines_ += ' ';
    lines_ += what;
    if (!detail.empty()) {
        lines_ += ' ';
        lines_ += detail;
    }
    lines_ += '\n';
    if (lines_.size() < lines_bytes) return;
    file_ << lines_;
    lines_.clear();
}

void EventTrace::note(const Event& event) {
    if (on()) std::visit(Describe{*this}, event);
}

void EventTrace::note(const Effect& effect) {
    if (on()) std::visit(Describe{*this}, effect);
}

}  // namespace creto
