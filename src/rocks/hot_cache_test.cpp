#include "rocks/hot_cache.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

namespace creto {
namespace {

constexpr auto column = Column::state;

SharedBytes value(const char* text) {
    return share(to_bytes(text));
}
std::string found(HotCache& cache, const char* key, Column in = column) {
    const auto hit = cache.find(in, as_bytes(key));
    const auto* bytes = std::get_if<SharedBytes>(&hit);
    return bytes == nullptr ? "miss" : std::string{as_text(**bytes)};
}
HotCache::Miss miss(HotCache& cache, const char* key) {
    return std::get<HotCache::Miss>(cache.find(column, as_bytes(key)));
}
void fill(HotCache& cache, const char* key, const SharedBytes& bytes) {
    cache.fill(column, as_bytes(key), bytes, miss(cache, key));
}

TEST(HotCache, KeepsWhatWasRead) {
    HotCache cache{10'000};
    EXPECT_EQ(found(cache, "a"), "miss");
    fill(cache, "a", value("1"));
    EXPECT_EQ(found(cache, "a"), "1");
    EXPECT_EQ(found(cache, "a", Column::meta), "miss");
    EXPECT_EQ(found(cache, ""), "miss");
}

TEST(HotCache, AWriteReplacesAndADeleteRemoves) {
    HotCache cache{10'000};
    fill(cache, "a", value("1"));
    cache.written({{column, to_bytes("a"), value("2")}, {column, to_bytes("b"), value("2")}});
    EXPECT_EQ(found(cache, "a"), "2");
    EXPECT_EQ(found(cache, "b"), "miss") << "only what is read is worth keeping";
    cache.written({{column, to_bytes("a"), std::nullopt}});
    EXPECT_EQ(found(cache, "a"), "miss");
    EXPECT_EQ(cache.bytes(), 0U);
}

TEST(HotCache, AReadThatAWriteOvertookIsNotKept) {
    HotCache cache{10'000};
    const auto before = miss(cache, "a");
    cache.written({{column, to_bytes("a"), value("new")}});
    cache.fill(column, as_bytes("a"), value("old"), before);
    EXPECT_EQ(found(cache, "a"), "miss");
}

TEST(HotCache, TheLeastRecentlyReadGoesFirst) {
    HotCache cache{3 * 1'200};
    const SharedBytes big = share(Bytes(1'000, 1));
    fill(cache, "a", big);
    fill(cache, "b", big);
    fill(cache, "c", big);
    EXPECT_NE(found(cache, "a"), "miss");
    fill(cache, "d", big);
    EXPECT_EQ(found(cache, "b"), "miss");
    EXPECT_NE(found(cache, "a"), "miss");
    EXPECT_LE(cache.bytes(), 3U * 1'200);
    cache.written({{column, to_bytes("a"), share(Bytes(2'500, 1))}});  // Grows: others must go.
    EXPECT_LE(cache.bytes(), 3U * 1'200);
}

TEST(HotCache, ValuesOverTheLimitAreNotKept) {
    HotCache cache{10'000'000};
    fill(cache, "a", share(Bytes(HotCache::value_bytes_max, 1)));
    EXPECT_NE(found(cache, "a"), "miss");
    fill(cache, "b", share(Bytes(HotCache::value_bytes_max + 1, 1)));
    EXPECT_EQ(found(cache, "b"), "miss");
    cache.written({{column, to_bytes("a"), share(Bytes(HotCache::value_bytes_max + 1, 1))}});
    EXPECT_EQ(found(cache, "a"), "miss");
}

TEST(HotCache, NothingIsKeptWithoutRoom) {
    HotCache cache{0};
    fill(cache, "a", value("1"));
    EXPECT_EQ(found(cache, "a"), "miss");
}

TEST(HotCache, ReadersNeverSeeAValueOlderThanAFinishedWrite) {
    // A store of one number; the cache in front of it must never fall behind what was announced.
    HotCache cache{10'000};
    std::atomic<int> stored{0};
    std::atomic<int> announced{0};
    std::atomic<bool> stop{false};
    std::atomic<int> behind{0};
    const auto reader = [&] {
        while (!stop) {
            const int least = announced;
            const auto hit = cache.find(column, as_bytes("n"));
            int seen = 0;
            if (const auto* bytes = std::get_if<SharedBytes>(&hit)) {
                seen = std::stoi(std::string{as_text(**bytes)});
            } else {
                seen = stored;
                cache.fill(
                    column,
                    as_bytes("n"),
                    value(std::to_string(seen).c_str()),
                    std::get<HotCache::Miss>(hit)
                );
            }
            if (seen < least) ++behind;
        }
    };
    std::thread first{reader};
    std::thread second{reader};
    for (int n = 1; n <= 20'000; ++n) {
        stored = n;
        if (n % 3 == 0) {
            cache.written({{column, to_bytes("n"), std::nullopt}});  // So that fills go on.
        } else {
            cache.written({{column, to_bytes("n"), value(std::to_string(n).c_str())}});
        }
        announced = n;
    }
    stop = true;
    first.join();
    second.join();
    EXPECT_EQ(behind, 0);
}

}  // namespace
}  // namespace creto
