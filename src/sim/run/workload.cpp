#include "sim/run/workload.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/assert.hpp"
#include "base/prng.hpp"

namespace creto {
namespace {

constexpr std::uint64_t chaos_stream = 0x81;
constexpr std::uint64_t rate_milli_max = 1'000'000'000;
constexpr std::int64_t sine_period_s_max = 60;
constexpr std::int64_t half_turn = 500'000;

std::optional<std::uint64_t> whole(std::string_view text) {
    if (text.empty() || text.size() > 9) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

/// "12" or "0.5", in thousandths.
std::optional<std::uint64_t> milli(std::string_view text) {
    const std::size_t dot = text.find('.');
    const auto integer = whole(text.substr(0, dot));
    std::uint64_t value = integer.value_or(0) * 1'000;
    if (dot != std::string_view::npos) {
        std::string digits{text.substr(dot + 1)};
        if (digits.empty() || digits.size() > 3) return std::nullopt;
        digits.resize(3, '0');
        const auto fraction = whole(digits);
        if (!fraction) return std::nullopt;
        value += *fraction;
    }
    return integer && value <= rate_milli_max ? std::optional{value} : std::nullopt;
}

/// sin(x) in millionths for x in millionths of a whole turn, by Bhaskara's formula (to 0.2 %).
std::int64_t sine_ppm(std::int64_t turn_ppm) {
    const auto x = static_cast<std::int64_t>(turn_ppm % half_turn);
    const std::int64_t product = x * (half_turn - x);
    // 16 x (pi - x) / (5 pi^2 - 4 x (pi - x)), with half_turn for pi.
    const std::int64_t ppm = 16 * product / ((5 * half_turn * half_turn - 4 * product) / 1'000'000);
    return turn_ppm % (2 * half_turn) < half_turn ? ppm : -ppm;
}

}  // namespace

Result<Workload> Workload::parse(std::string_view text) {
    const auto refuse = [&] {
        return fail(
            ErrorCode::invalid,
            "no workload \"" + std::string{text.substr(0, 64)} +
                "\"; there are constant:R, ramp:A-B, burst:R/D, chaos:A-B and sine:A-B, with rates "
                "in operations a second, as in ramp:10-1000 and burst:500/10s"
        );
    };
    Workload made;
    made.text_ = std::string{text.substr(0, 64)};
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return refuse();
    const std::string_view name = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    constexpr std::array<std::string_view, 5> names{"constant", "ramp", "burst", "chaos", "sine"};
    const auto* const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return refuse();
    made.kind_ = static_cast<Kind>(found - names.begin());
    const std::size_t mark = rest.find(made.kind_ == Kind::burst ? '/' : '-');
    const auto first = milli(rest.substr(0, mark));
    if (!first || (made.kind_ == Kind::constant) != (mark == std::string_view::npos))
        return refuse();
    made.low_ = made.high_ = *first;
    if (made.kind_ == Kind::constant) return made;
    const std::string_view second = rest.substr(mark + 1);
    if (made.kind_ == Kind::burst) {
        auto part = parse_duration(second);
        if (!part) return refuse();
        made.part_ = *part;
        return made;
    }
    const auto high = milli(second);
    if (!high || (made.kind_ != Kind::ramp && *high < *first)) return refuse();
    made.high_ = *high;
    return made;
}

void Workload::begin(std::uint64_t seed, Duration run) {
    CRETO_ASSERT(run > Duration{});
    seed_ = seed;
    run_ = run;
    at_ = {};
    rest_ = 0;
}

std::uint64_t Workload::next_slot() {
    rest_ += rate_milli(at_) * static_cast<std::uint64_t>(slot.ms());
    at_ = at_ + slot;
    const std::uint64_t count = rest_ / 1'000'000;
    rest_ %= 1'000'000;
    return count;
}

std::uint64_t Workload::rate_milli(Duration at) const {
    const auto from = static_cast<std::int64_t>(low_);
    const auto span = static_cast<std::int64_t>(high_) - from;
    switch (kind_) {
        case Kind::constant:
            break;
        case Kind::ramp: {
            const std::int64_t done = std::min(at.ms(), run_.ms());
            return static_cast<std::uint64_t>(
                from + span * done / std::max<std::int64_t>(1, run_.ms())
            );
        }
        case Kind::burst:
            return at.ms() / std::max<std::int64_t>(1, part_.ms()) % 2 == 0 ? low_ : 0;
        case Kind::chaos: {
            const auto second = static_cast<std::uint64_t>(at.ms() / 1'000);
            return low_ +
                   scale_to(
                       draw(seed_, chaos_stream, second), static_cast<std::uint64_t>(span) + 1
                   );
        }
        case Kind::sine: {
            const std::int64_t period = std::min(sine_period_s_max * 1'000, run_.ms());
            const std::int64_t turn = at.ms() % period * 2 * half_turn / period;
            return static_cast<std::uint64_t>(
                from + span * (1'000'000 + sine_ppm(turn)) / 2'000'000
            );
        }
    }
    return low_;
}

Result<Duration> parse_duration(std::string_view text) {
    const std::size_t unit = text.find_first_not_of("0123456789");
    const auto count = whole(text.substr(0, unit));
    const std::string_view name = unit == std::string_view::npos ? "" : text.substr(unit);
    struct Unit {
        std::string_view name;
        std::int64_t ms;
    };
    constexpr std::array<Unit, 5> units{
        Unit{"ms", 1},
        Unit{"s", 1'000},
        Unit{"m", 60'000},
        Unit{"h", 3'600'000},
        Unit{"d", 86'400'000}};
    constexpr std::int64_t ms_max = std::int64_t{366} * 86'400'000;
    for (const Unit& known : units) {
        if (name != known.name || !count || *count == 0) continue;
        if (static_cast<std::int64_t>(*count) > ms_max / known.ms) break;
        return Duration::from_ms(static_cast<std::int64_t>(*count) * known.ms);
    }
    return fail(
        ErrorCode::invalid,
        "no duration \"" + std::string{text.substr(0, 64)} + "\"; write 250ms, 20s, 10m, 24h or 7d"
    );
}

}  // namespace creto
