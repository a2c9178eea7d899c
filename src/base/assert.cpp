#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace creto {

void assert_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(
        stderr, "creto: internal error: %s does not hold at %s:%d\n", condition, file, line
    );
    std::abort();
}

}  // namespace creto
