// Right, but late: what is said keeps to the rules, and comes when it helps least.
#include <deque>

#include "sim/byzantine/attacks.hpp"
#include "sim/byzantine/deviation.hpp"

namespace creto::attacks {
namespace {

enum class Whom : std::uint8_t { all, second_half };

/// Holds what it says about the order back for a while. It has no timer of its own: what is due
/// leaves at the next thing that happens to it, which is never far.
class Delaying final : public Deviation {
public:
    Delaying(Inner inner, const ParticipantParts& parts, Whom whom)
        : Deviation{std::move(inner), parts}, whom_{whom} {}

    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        now_ = now;
        std::vector<Effect> out = Deviation::on_event(event, now);
        while (!held_.empty() && held_.front().first <= now) {
            out.emplace_back(std::move(held_.front().second));
            held_.pop_front();
        }
        return out;
    }

protected:
    void on_sending(Send send, const Message& /*message*/, std::vector<Effect>& out) override {
        const bool waits =
            send.channel == Channel::order && (whom_ == Whom::all || is_in_second_half(send.to));
        if (!waits) {
            out.push_back(std::move(send));
            return;
        }
        // A little below the patience of a view that runs well.
        held_.emplace_back(now_ + Duration::from_ms(250), std::move(send));
    }

private:
    Whom whom_;
    Instant now_;
    std::deque<std::pair<Instant, Send>> held_;
};

}  // namespace

Inner slow_walk(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<Delaying>(std::move(inner), parts, Whom::all);
}
Inner selective_delay(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<Delaying>(std::move(inner), parts, Whom::second_half);
}

}  // namespace creto::attacks
