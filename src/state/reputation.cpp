#include "state/reputation.hpp"

#include "state/state_limits.hpp"

namespace creto {

namespace {
std::uint64_t faded(std::uint64_t amount) {
    return Reputation::one + (amount - Reputation::one) * Reputation::kept_of_16 / 16;
}
}  // namespace

void Reputation::on_agreement() {
    alpha = faded(alpha) + one;
    beta = faded(beta);
    ++agreed;
}

void Reputation::on_dissent(const CallId& call, Height height) {
    alpha = faded(alpha);
    beta = faded(beta) + dissent_weight * one;
    ++dissented;
    if (dissents.size() == limits::dissents_kept_max) dissents.erase(dissents.begin());
    dissents.push_back({call, height});
}

std::uint32_t Reputation::score_ppm() const {
    return static_cast<std::uint32_t>(alpha * 1'000'000 / (alpha + beta));
}

bool Reputation::suspended() const {
    return agreed + dissented >= suspended_from_decisions && score_ppm() < suspended_below_ppm;
}

std::vector<std::string> Reputation::reasons() const {
    std::vector<std::string> lines;
    for (const Dissent& dissent : dissents) {
        lines.push_back(
            "call " + dissent.call.value().brief() +
            ": answered otherwise than the dispute that was decided at height " +
            std::to_string(dissent.height.value())
        );
    }
    return lines;
}

void encode(Writer& w, const Reputation& v) {
    w.uvarint(v.alpha);
    w.uvarint(v.beta);
    w.uvarint(v.agreed);
    w.uvarint(v.dissented);
    w.uvarint(v.dissents.size());
    for (const Reputation::Dissent& dissent : v.dissents) {
        encode(w, dissent.call);
        encode(w, dissent.height);
    }
}

void decode(Reader& r, Reputation& v) {
    v.alpha = r.uvarint();
    v.beta = r.uvarint();
    v.agreed = r.uvarint();
    v.dissented = r.uvarint();
    // Forgetting keeps both under 16 entries' worth; more cannot have come from here.
    constexpr std::uint64_t most = 64 * Reputation::one;
    if (v.alpha < Reputation::one || v.beta < Reputation::one || v.alpha > most || v.beta > most) {
        r.fail(DecodeError::bad_value);
        v = {};
        return;
    }
    v.dissents.resize(r.count(limits::dissents_kept_max, 33));
    for (Reputation::Dissent& dissent : v.dissents) {
        decode(r, dissent.call);
        decode(r, dissent.height);
    }
}

}  // namespace creto
