// Regions: how far ten regions of the world are from each other.
//
// Why      Whether an overlay is good depends on near and far: nodes whose distances are drawn one by
//          one have no neighbourhoods.
// Source   The order of what public clouds publish between their regions, half a round trip each,
//          rounded, and none above 150 ms.
// Holds    Symmetric. Between two regions 13 to 150 ms one way and up to 3 ms of the pair's own, within
//          one 1 to 4 ms; a message adds up to a tenth, or a millisecond.
//          Which profile has regions is said by its name, so that all else of it stays as it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/prng.hpp"
#include "link/profile.hpp"

namespace creto {

inline constexpr std::uint32_t regions_max = 10;

/// In this order of rows and columns.
inline constexpr std::array<const char*, regions_max> region_names{
    "us-east",
    "us-west",
    "sa-east",
    "eu-west",
    "eu-central",
    "me-south",
    "ap-south",
    "ap-southeast",
    "ap-northeast",
    "ap-sydney"};

/// Milliseconds one way, without jitter.
inline constexpr std::array<std::array<std::uint8_t, regions_max>, regions_max> region_latency_ms{{
    {1, 31, 57, 34, 46, 82, 96, 110, 74, 100},
    {31, 1, 88, 65, 72, 112, 112, 84, 50, 70},
    {57, 88, 1, 90, 101, 132, 150, 150, 128, 150},
    {34, 65, 90, 1, 13, 46, 60, 88, 104, 130},
    {46, 72, 101, 13, 1, 42, 56, 80, 112, 126},
    {82, 112, 132, 46, 42, 1, 18, 46, 80, 92},
    {96, 112, 150, 60, 56, 18, 1, 29, 62, 76},
    {110, 84, 150, 88, 80, 46, 29, 1, 35, 47},
    {74, 50, 128, 104, 112, 80, 62, 35, 1, 53},
    {100, 70, 150, 130, 126, 92, 76, 47, 53, 1},
}};

inline constexpr const char* region_profile_name = "regions";

/// 1 to 168.3 ms, one message in ten thousand lost.
[[nodiscard]] LinkProfile regions_profile();
[[nodiscard]] inline bool has_regions(const LinkProfile& profile) {
    return profile.name == region_profile_name;
}
/// The region that a draw of a node names.
[[nodiscard]] constexpr std::uint32_t region_of(std::uint64_t word) {
    return static_cast<std::uint32_t>(scale_to(word, regions_max));
}
/// One way, of a pair with this draw.
[[nodiscard]] constexpr Duration region_latency(
    std::uint32_t here, std::uint32_t there, std::uint64_t pair_word
) {
    return Duration::from_ms(region_latency_ms[here][there]) +
           Duration::from_us(static_cast<std::int64_t>(scale_to(pair_word, 3'001)));
}
/// A way that is long has more queues on it.
[[nodiscard]] constexpr Duration region_jitter(Duration base, std::uint64_t word) {
    const Duration most = base / 10 > Duration::from_ms(1) ? base / 10 : Duration::from_ms(1);
    const std::uint64_t ns = scale_to(word, static_cast<std::uint64_t>(most.ns()) + 1);
    return Duration::from_ns(static_cast<std::int64_t>(ns));
}

}  // namespace creto
