#include "scale/replay/store_difference.hpp"

#include <algorithm>

#include "store/journal.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

constexpr std::uint64_t ask_every = 4'096;

std::string text_of(Column column, ByteView key) {
    return std::string{to_string(column)} + "/" + to_hex(key);
}

bool is_of_host(Column column, ByteView key) {
    return column == Column::meta && (equal(key, keys::format()) || equal(key, keys::chain()) ||
                                      equal(key, keys::voted()) || journal::is_mark(key));
}

/// Walks both sides of one column in the order of their keys.
void compare_column(
    const StoreView& store,
    Column column,
    const SimDisk::Contents& wanted,
    const std::function<bool()>& goes_on,
    StoreDifference& out
) {
    auto next = wanted.lower_bound({column, {}});
    const auto has_next = [&] { return next != wanted.end() && next->first.column() == column; };
    const auto missing = [&] {
        out.add(1, text_of(column, next->first.bytes()) + ": is missing");
        ++out.keys;
        ++next;
    };
    std::uint64_t seen = 0;
    const auto visit = [&](ByteView key, ByteView value) {
        if (++seen % ask_every == 0 && !goes_on()) {
            out.is_stopped = true;
            return false;
        }
        while (has_next() && KeyOrder{}(next->first.bytes(), key))
            missing();
        if (!has_next() || !equal(next->first.bytes(), key)) {
            if (!is_of_host(column, key)) out.add(1, text_of(column, key) + ": nobody wrote it");
            return true;
        }
        if (!equal(*next->second, value)) out.add(1, text_of(column, key) + ": another value");
        ++out.keys;
        ++next;
        return true;
    };
    const auto scanned = store.scan(column, {}, {}, visit);
    if (out.is_stopped) return;
    if (!scanned) {
        std::uint64_t rest = 0;
        for (; has_next(); ++next)
            ++rest;
        out.keys += rest;
        return out.add(std::max<std::uint64_t>(1, rest), scanned.error().message);
    }
    while (has_next())
        missing();
}

void compare_votes(VoteLogContents votes, const std::vector<Bytes>& wanted, StoreDifference& out) {
    if (!votes.intact) out.add(1, "vote log: " + votes.damage);
    journal::drop_batches(votes);
    const std::size_t common = std::min(votes.records.size(), wanted.size());
    for (std::size_t i = 0; i < common; ++i)
        if (votes.records[i] != wanted[i])
            out.add(1, "vote log: record " + std::to_string(i) + " is another");
    if (const std::size_t all = std::max(votes.records.size(), wanted.size()); all > common)
        out.add(
            all - common,
            "vote log: " + std::to_string(votes.records.size()) + " records, not " +
                std::to_string(wanted.size())
        );
}

}  // namespace

void StoreDifference::add(std::uint64_t more, std::string text) {
    count += more;
    if (texts.size() < texts_max) texts.push_back(std::move(text));
}

StoreDifference compare(
    const StoreView& store,
    const VoteLogContents& votes,
    const SimDisk& wanted,
    const std::function<bool()>& goes_on
) {
    StoreDifference out;
    for (std::size_t i = 0; i < column_count && !out.is_stopped; ++i)
        compare_column(store, static_cast<Column>(i), wanted.contents(), goes_on, out);
    if (!out.is_stopped) compare_votes(votes, wanted.log(), out);
    return out;
}

}  // namespace creto
