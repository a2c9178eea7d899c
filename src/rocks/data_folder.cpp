#include "rocks/data_folder.hpp"

#include "store/journal.hpp"
#include "store/keys.hpp"

namespace creto {

Result<DataFolder> DataFolder::open(const RocksOptions& options) {
    RocksOptions store_options = options;
    store_options.dir = store_path(options.dir);
    auto store = RocksStore::open(store_options);
    if (!store) return tl::unexpected<Error>(store.error());
    const auto voted = (*store)->get(Column::meta, keys::voted());
    if (!voted) return tl::unexpected<Error>(voted.error());
    auto votes =
        FileVoteLog::open({.path = votes_path(options.dir), .must_exist = voted->has_value()});
    if (!votes) return tl::unexpected<Error>(votes.error());
    const auto log = (*votes)->read();
    if (!log) return tl::unexpected<Error>(log.error());
    if (auto replayed = journal::replay(**store, *log); !replayed)
        return tl::unexpected<Error>(replayed.error());
    return DataFolder{std::move(*store), std::move(*votes)};
}

}  // namespace creto
