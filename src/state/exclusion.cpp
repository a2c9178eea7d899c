#include "state/exclusion.hpp"

namespace creto {

namespace {

/// What an agent wrote, as far as it fits a line, and safe to print.
std::string shown(const std::string& text) {
    constexpr std::size_t most = 48;
    std::string line = text.substr(0, most);
    for (char& c : line) {
        if (c < 0x20 || c > 0x7E) c = '?';
    }
    return text.size() <= most ? line : line + "...";
}

struct Describe {
    std::string operator()(const VoteConflict& v) const {
        const auto side = [](const Vote& vote) {
            return std::string{to_string(vote.content.kind)} +
                   (vote.content.kind == VoteKind::nullify
                        ? std::string{}
                        : " " + vote.content.block.value().brief());
        };
        return "signed two votes for view " + std::to_string(v.a.content.view.value()) +
               " that no correct seat signs together: " + side(v.a) + " and " + side(v.b);
    }
    std::string operator()(const LaneFork& v) const {
        return "signed two vertices at sequence " + std::to_string(v.a.header.sequence.value()) +
               " of lane " + lane_text(v.a.header.lane) + ": " + v.a.header.id().value().brief() +
               " and " + v.b.header.id().value().brief();
    }
    std::string operator()(const AnswerConflict& v) const {
        return "answered " + shown(v.a.result) + " and " + shown(v.b.result) +
               " for the same arguments " + shown(v.arguments) + " of a deterministic contract";
    }
};

constexpr std::size_t reason_bytes_max = 512;

}  // namespace

std::string describe(const Evidence& evidence) {
    return std::visit(Describe{}, evidence);
}

void encode(Writer& w, const Exclusion& v) {
    encode(w, v.agent);
    encode(w, v.height);
    encode(w, v.operation);
    w.text(v.reason);
    w.boolean(v.evidence.has_value());
    if (v.evidence) encode(w, *v.evidence);
}

void decode(Reader& r, Exclusion& v) {
    decode(r, v.agent);
    decode(r, v.height);
    decode(r, v.operation);
    v.reason = r.text(reason_bytes_max);
    if (r.boolean()) decode(r, v.evidence.emplace());
}

}  // namespace creto
