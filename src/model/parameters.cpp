#include "model/parameters.hpp"

#include <algorithm>
#include <bit>

#include "base/assert.hpp"

namespace creto {

namespace {

std::uint32_t read_u32(Reader& r) {
    const std::uint64_t value = r.uvarint();
    if (value > ~std::uint32_t{0}) r.fail(DecodeError::over_limit);
    return static_cast<std::uint32_t>(value);
}

std::string range(std::uint32_t least, std::uint32_t most) {
    return std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

const char* to_string(Parameter parameter) {
    constexpr std::array<const char*, all_parameters.size()> names{
        "term_views", "dead_after_reports", "guest_operations", "guests_total"};
    return names[static_cast<std::size_t>(parameter)];
}

std::optional<Parameter> parameter_named(std::string_view name) {
    const auto found =
        std::find_if(all_parameters.begin(), all_parameters.end(), [&](Parameter one) {
            return name == to_string(one);
        });
    return found == all_parameters.end() ? std::nullopt : std::optional{*found};
}

std::uint32_t& value_of(Parameters& parameters, Parameter parameter) {
    switch (parameter) {
        case Parameter::term_views:
            return parameters.term_views;
        case Parameter::dead_after_reports:
            return parameters.dead_after_reports;
        case Parameter::guest_operations:
            return parameters.guest_operations;
        default:
            CRETO_ASSERT(parameter == Parameter::guests_total);
            return parameters.guests_total;
    }
}

std::uint32_t value_of(const Parameters& parameters, Parameter parameter) {
    Parameters copy = parameters;
    return value_of(copy, parameter);
}

std::optional<std::string> refusal(Parameter parameter, std::uint32_t value) {
    const std::string said = std::to_string(value);
    switch (parameter) {
        case Parameter::term_views:
            if (std::has_single_bit(value) && value <= limits::term_views_max) return std::nullopt;
            return "a term of " + said + " views; it takes a power of two, up to " +
                   std::to_string(limits::term_views_max);
        case Parameter::dead_after_reports:
            if (value == 0 || (value >= limits::dead_after_reports_min &&
                               value <= limits::dead_after_reports_max))
                return std::nullopt;
            return "a seat dead after " + said + " reports; it takes 0, for never, or " +
                   range(limits::dead_after_reports_min, limits::dead_after_reports_max);
        case Parameter::guest_operations:
            if (value <= limits::guest_operations_max) return std::nullopt;
            return "a quota of " + said +
                   " operations for each agent without a seat; it takes 0, for none, or up to " +
                   std::to_string(limits::guest_operations_max);
        default:
            CRETO_ASSERT(parameter == Parameter::guests_total);
            if (value >= limits::guests_total_min && value <= limits::guests_total_max)
                return std::nullopt;
            return "a total of " + said + " operations for all agents without a seat; it takes " +
                   range(limits::guests_total_min, limits::guests_total_max);
    }
}

Result<void> validate(const Parameters& parameters) {
    for (const Parameter parameter : all_parameters) {
        if (auto why = refusal(parameter, value_of(parameters, parameter)))
            return fail(ErrorCode::invalid, std::move(*why));
    }
    return {};
}

void encode(Writer& w, const Parameters& v) {
    for (const Parameter parameter : all_parameters)
        w.uvarint(value_of(v, parameter));
}
void decode(Reader& r, Parameters& v) {
    for (const Parameter parameter : all_parameters) {
        std::uint32_t& value = value_of(v, parameter);
        value = read_u32(r);
        if (refusal(parameter, value)) r.fail(DecodeError::over_limit);
    }
}

void encode(Writer& w, const ParameterChange& v) {
    w.u8(static_cast<std::uint8_t>(v.parameter));
    w.uvarint(v.value);
    w.uvarint(v.number);
}
void decode(Reader& r, ParameterChange& v) {
    v.parameter = static_cast<Parameter>(r.kind(all_parameters.size() - 1));
    v.value = read_u32(r);
    v.number = read_u32(r);
}

}  // namespace creto
