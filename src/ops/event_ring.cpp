#include "ops/event_ring.hpp"

namespace creto {

void EventRing::add(const Notice& notice) {
    JsonDoc event{{"number", ++newest_}};
    event.update(to_json(notice));
    events_.push_back(std::move(event));
    if (events_.size() > events_max_) events_.pop_front();
}

JsonDoc EventRing::after(std::uint64_t since, const std::optional<std::string>& prefix) const {
    JsonDoc out{{"ok", true}, {"events", JsonDoc::array()}, {"next", newest_}};
    for (const JsonDoc& event : events_) {
        if (event["number"].get<std::uint64_t>() <= since) continue;
        const bool change = event["event"] == "key_changed";
        const bool lost = event["event"] == "changes_lost";
        const bool wanted =
            prefix ? lost ||
                         (change && event["key"].get_ref<const std::string&>().starts_with(*prefix))
                   : !lost && !change;
        if (wanted) out["events"].push_back(event);
    }
    const std::uint64_t gone = newest_ - events_.size();
    if (prefix && since < gone) out["lost"] = gone - since;
    return out;
}

}  // namespace creto
