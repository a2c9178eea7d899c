#include "tools/text_case.hpp"

#include <array>
#include <cstdint>

namespace creto {

namespace {

/// A run of capitals [first, last]; each one's small letter is `distance` behind it. In runs with
/// step 2 capitals and small letters take turns.
struct Run {
    char32_t first = 0;
    char32_t last = 0;
    std::int32_t distance = 0;
    std::uint32_t step = 1;
};

constexpr std::array runs{
    Run{U'A', U'Z', 32},     Run{0xC0, 0xD6, 32},     Run{0xD8, 0xDE, 32},
    Run{0x100, 0x12E, 1, 2}, Run{0x132, 0x136, 1, 2}, Run{0x139, 0x147, 1, 2},
    Run{0x14A, 0x176, 1, 2}, Run{0x178, 0x178, -121}, Run{0x179, 0x17D, 1, 2},
    Run{0x386, 0x386, 38},   Run{0x388, 0x38A, 37},   Run{0x38C, 0x38C, 64},
    Run{0x38E, 0x38F, 63},   Run{0x391, 0x3A1, 32},   Run{0x3A3, 0x3AB, 32},
    Run{0x400, 0x40F, 80},   Run{0x410, 0x42F, 32},   Run{0x460, 0x480, 1, 2},
    Run{0x48A, 0x4BE, 1, 2},
};

constexpr char32_t final_sigma = 0x3C2;  // A small letter only; its capital has another.

bool in_run(const Run& run, char32_t capital) {
    return capital >= run.first && capital <= run.last && (capital - run.first) % run.step == 0;
}

char32_t moved(char32_t code, std::int32_t distance) {
    return static_cast<char32_t>(static_cast<std::int32_t>(code) + distance);
}

}  // namespace

char32_t to_upper(char32_t code) {
    if (code == final_sigma) return 0x3A3;
    for (const Run& run : runs) {
        const char32_t capital = moved(code, -run.distance);
        if (in_run(run, capital)) return capital;
    }
    return code;
}

char32_t to_lower(char32_t code) {
    for (const Run& run : runs) {
        if (in_run(run, code)) return moved(code, run.distance);
    }
    return code;
}

}  // namespace creto
