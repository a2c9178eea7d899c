// add, subtract, multiply, divide; min, max, sum.
#include <algorithm>

#include "tools/builtin_parts.hpp"

namespace creto {

namespace {

constexpr const char* number_schema = R"({"type":"number"})";
using Arithmetic = Result<Decimal> (*)(const Decimal&, const Decimal&);

std::string two_numbers(const char* a, const char* b) {
    const auto described = [](const char* what) {
        return std::string{R"({"type":"number","description":")"} + what + "\"}";
    };
    return object_schema({{"a", described(a)}, {"b", described(b)}});
}

Result<Json> as_json(Result<Decimal> number) {
    if (!number) return tl::unexpected<Error>(std::move(number.error()));
    return Json{std::move(*number)};
}

ToolFunction binary(Arithmetic operation) {
    return [operation](const Json& arguments, const ToolContext&) -> Result<Json> {
        return as_json(operation(number_of(arguments, "a"), number_of(arguments, "b")));
    };
}

std::string numbers(int least) {
    return object_schema(
        {{"numbers",
          R"({"type":"array","items":{"type":"number"},"minItems":)" + std::to_string(least) + "}"}}
    );
}

/// The operation over all items, from the first on.
Result<Json> sum(const JsonArray& items) {
    Decimal total;
    for (const Json& item : items) {
        auto next = Decimal::add(total, *item.number());
        if (!next) return tl::unexpected<Error>(std::move(next.error()));
        total = std::move(*next);
    }
    return Json{std::move(total)};
}

}  // namespace

void add_number_tools(std::vector<Tool>& tools) {
    tools.push_back(builtin(
        {.name = "add",
         .description = "The exact sum a + b of two decimal numbers.",
         .input = two_numbers("First summand.", "Second summand."),
         .output = number_schema},
        binary(Decimal::add)
    ));
    tools.push_back(builtin(
        {.name = "subtract",
         .description = "The exact difference a - b of two decimal numbers.",
         .input = two_numbers("What is subtracted from.", "What is subtracted."),
         .output = number_schema},
        binary(Decimal::subtract)
    ));
    tools.push_back(builtin(
        {.name = "multiply",
         .description = "The exact product a * b of two decimal numbers.",
         .input = two_numbers("First factor.", "Second factor."),
         .output = number_schema},
        binary(Decimal::multiply)
    ));
    tools.push_back(builtin(
        {.name = "divide",
         .description =
             "The quotient a / b of two decimal numbers, rounded to 34 significant digits, half to "
             "even.",
         .input = two_numbers("Dividend.", "Divisor; not 0."),
         .output = number_schema},
        binary(Decimal::divide)
    ));
    const auto less = [](const Json& x, const Json& y) { return *x.number() < *y.number(); };
    tools.push_back(builtin(
        {.name = "min",
         .description = "The least of one or more numbers.",
         .input = numbers(1),
         .output = number_schema},
        [less](const Json& arguments, const ToolContext&) -> Result<Json> {
            const JsonArray& items = items_of(arguments, "numbers");
            return *std::min_element(items.begin(), items.end(), less);
        }
    ));
    tools.push_back(builtin(
        {.name = "max",
         .description = "The greatest of one or more numbers.",
         .input = numbers(1),
         .output = number_schema},
        [less](const Json& arguments, const ToolContext&) -> Result<Json> {
            const JsonArray& items = items_of(arguments, "numbers");
            return *std::max_element(items.begin(), items.end(), less);
        }
    ));
    tools.push_back(builtin(
        {.name = "sum",
         .description = "The exact sum of all numbers; 0 for none.",
         .input = numbers(0),
         .output = number_schema},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            return sum(items_of(arguments, "numbers"));
        }
    ));
}

}  // namespace creto
