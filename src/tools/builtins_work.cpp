// Tools that work for a while, and show what they have so far.
#include <vector>

#include "base/assert.hpp"
#include "tools/builtin_parts.hpp"

namespace creto {

namespace {

constexpr std::int64_t primes_below_max = 1'000'000'000;
/// Odd numbers that are sieved at a time; what is found in them is a piece.
constexpr std::int64_t segment_least = 500'000;
constexpr std::int64_t pieces_about = 100;

/// The odd primes whose squares are below `limit`.
std::vector<std::int64_t> small_primes(std::int64_t limit) {
    std::int64_t root = 1;
    while (root * root < limit)
        ++root;
    std::vector<bool> composite(static_cast<std::size_t>(root + 1));
    std::vector<std::int64_t> primes;
    for (std::int64_t n = 3; n <= root; n += 2) {
        if (composite[static_cast<std::size_t>(n)]) continue;
        primes.push_back(n);
        for (std::int64_t m = n * n; m <= root; m += 2 * n)
            composite[static_cast<std::size_t>(m)] = true;
    }
    return primes;
}

/// Sieve of Eratosthenes, a segment at a time.
Result<Json> primes(const Json& arguments, const ToolContext& context) {
    const auto wanted = number_of(arguments, "below").to_int64();
    CRETO_ASSERT(wanted && *wanted >= 0 && *wanted <= primes_below_max);
    const std::int64_t below = *wanted;
    const std::vector<std::int64_t> sieving = small_primes(below);
    const std::int64_t width = 2 * std::max(segment_least, below / pieces_about / 2);
    std::int64_t count = below > 2 ? 1 : 0;
    std::int64_t greatest = below > 2 ? 2 : 0;
    const auto found = [&](const char* name, std::int64_t up_to) {
        return JsonObject{
            {name, Json{up_to}}, {"count", Json{count}}, {"greatest", Json{greatest}}};
    };
    std::vector<std::uint8_t> composite;
    for (std::int64_t low = 3; low < below; low += width) {
        const std::int64_t high = std::min(low + width, below);  // Not included.
        composite.assign(static_cast<std::size_t>((high - low + 1) / 2), 0);
        for (const std::int64_t p : sieving) {
            if (p * p >= high) break;
            std::int64_t first = std::max(p * p, (low + p - 1) / p * p);
            if (first % 2 == 0) first += p;
            for (std::int64_t at = (first - low) / 2;
                 at < static_cast<std::int64_t>(composite.size());
                 at += p)
                composite[static_cast<std::size_t>(at)] = 1;
        }
        for (std::size_t at = 0; at < composite.size(); ++at) {
            if (composite[at] != 0) continue;
            ++count;
            greatest = low + 2 * static_cast<std::int64_t>(at);
        }
        const bool wanted_still =
            context.show(json_piece(Json{found("below", high)})) &&
            context.show(progress_piece(
                static_cast<std::uint64_t>(high), static_cast<std::uint64_t>(below), "sieving"
            ));
        if (!wanted_still)
            return fail(ErrorCode::cancelled, "nobody waits for the primes any more");
    }
    return Json{found("below", below)};
}

}  // namespace

void add_work_tools(std::vector<Tool>& tools) {
    const std::string whole = R"({"minimum":0,"type":"integer"})";
    tools.push_back(builtin(
        {.name = "primes",
         .description = "How many primes there are below a number, and the greatest of them; 0 for "
                        "none. Shows "
                        "while it works what it has found so far.",
         .input = object_schema(
             {{"below",
               R"({"description":"Up to a thousand million.","maximum":)" +
                   std::to_string(primes_below_max) + R"(,"minimum":0,"type":"integer"})"}}
         ),
         .output = object_schema({{"below", whole}, {"count", whole}, {"greatest", whole}})},
        primes
    ));
}

}  // namespace creto
