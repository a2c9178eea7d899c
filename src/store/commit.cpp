#include "store/commit.hpp"

#include <iterator>

#include "store/journal.hpp"
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

/// Data and votes in one frame of the log, one sync; then the store takes the data.
Result<void> commit_journaled(
    Store& store, VoteLog& votes, std::vector<KeyWrite> writes, std::vector<Bytes> records
) {
    const auto last = journal::last_number(store);
    if (!last) return tl::unexpected<Error>(last.error());
    const std::uint64_t number = *last + 1;
    records.insert(records.begin(), journal::encode(number, writes));
    if (auto appended = votes.append(records); !appended) return appended;
    journal::mark(number, writes);
    return store.write(writes, number % journal::sync_every == 0 ? Durable::yes : Durable::no);
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
    bool has_voted = false;
    if (!records.empty()) {
        const auto voted = store.get(Column::meta, keys::voted());
        if (!voted) return tl::unexpected<Error>(voted.error());
        has_voted = voted->has_value();
    }
    const bool one_sync = has_voted && !writes.empty() && !replace && durable == Durable::yes &&
                          journal::size_of(writes) <= journal::batch_bytes_max &&
                          votes.size_bytes() <= journal::log_bytes_max;
    if (one_sync) return commit_journaled(store, votes, std::move(writes), std::move(records));
    // Before the log is used for the first time, and before what it holds is replaced.
    if (!records.empty() && (!has_voted || replace)) {
        writes.push_back({Column::meta, keys::voted(), share(Bytes{1})});
        durable = Durable::yes;
    }
    // A turn of votes alone rests on earlier writes; those that matter were durable ones.
    if (!writes.empty()) {
        if (auto written = store.write(writes, durable); !written) return written;
    }
    return replace ? votes.compact(records) : votes.append(records);
}

}  // namespace creto
