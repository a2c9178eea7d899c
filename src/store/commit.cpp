#include "store/commit.hpp"

#include <iterator>

#include "store/keys.hpp"

namespace creto {

namespace {

template <class T>
void move_to_end(std::vector<T>& from, std::vector<T>& to) {
    if (to.empty()) {
        to = std::move(from);
    } else {
        to.insert(
            to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end())
        );
    }
}

}  // namespace

Result<void> commit(Store& store, VoteLog& votes, std::vector<Persist> turn) {
    std::vector<KeyWrite> writes;
    std::vector<Bytes> records;
    bool replace = false;
    Durable durable = Durable::no;
    for (Persist& persist : turn) {
        move_to_end(persist.writes, writes);
        if (!persist.votes_kept.empty()) {
            // It names everything that counts, the votes of earlier batches of this turn included.
            replace = true;
            records = std::move(persist.votes_kept);
        }
        move_to_end(persist.votes, records);
        if (persist.durable == Durable::yes) durable = Durable::yes;
    }
    if (!records.empty()) {
        const auto voted = store.get(Column::meta, keys::voted());
        if (!voted) return tl::unexpected<Error>(voted.error());
        if (!*voted) {
            writes.push_back({Column::meta, keys::voted(), share(Bytes{1})});
            durable = Durable::yes;
        }
    }
    // A turn of votes alone rests on earlier writes; those that matter were durable ones.
    if (!writes.empty()) {
        if (auto written = store.write(writes, durable); !written) return written;
    }
    return replace ? votes.compact(records) : votes.append(records);
}

}  // namespace creto
