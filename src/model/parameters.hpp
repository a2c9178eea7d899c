// Parameters: what a network has agreed on about itself, and may agree on anew while it runs.
//
// Why      What fits four seats in one room does not fit forty on three continents, and a new genesis is
//          a new network.
// Source   docs/decisions/0035-agreed-parameters.md says which can change, and why no others.
// Holds    [PARAM-BOUND.1] A value is within its bounds wherever it comes from: genesis, change, leaf of
//          the state or roster link. The first values are those of the genesis.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "model/limits.hpp"

namespace creto {

struct Parameters {
    /// Successive views with one leader: a power of two up to limits::term_views_max.
    std::uint32_t term_views = 1;
    /// When a seat that nobody sees is set aside: after so many reports of all seats together, from
    /// limits::dead_after_reports_min to _max, or 0 for never. [SEAT-DORMANT.1]
    std::uint32_t dead_after_reports = limits::dead_after_reports;
    /// Operations of one agent without a seat that take effect in an epoch, up to
    /// limits::guest_operations_max; 0: nothing that such agents do is counted. [PARAM-QUOTA.1]
    std::uint32_t guest_operations = 0;
    /// Of all of them together, each seat bringing an equal part: limits::guests_total_min to _max.
    /// Where nothing is counted it says nothing. [PARAM-SHARE.1]
    std::uint32_t guests_total = limits::guests_total;

    friend bool operator==(const Parameters&, const Parameters&) = default;
};

enum class Parameter : std::uint8_t {
    term_views,
    dead_after_reports,
    guest_operations,
    guests_total
};
inline constexpr std::array<Parameter, 4> all_parameters{
    Parameter::term_views,
    Parameter::dead_after_reports,
    Parameter::guest_operations,
    Parameter::guests_total};

/// Its name in the genesis, in commands and in leaves of the state.
[[nodiscard]] const char* to_string(Parameter parameter);
[[nodiscard]] std::optional<Parameter> parameter_named(std::string_view name);

[[nodiscard]] std::uint32_t& value_of(Parameters& parameters, Parameter parameter);
[[nodiscard]] std::uint32_t value_of(const Parameters& parameters, Parameter parameter);

/// Why the parameter cannot have the value; none: it can.
[[nodiscard]] std::optional<std::string> refusal(Parameter parameter, std::uint32_t value);
/// Says which of them is out of its bounds.
[[nodiscard]] Result<void> validate(const Parameters& parameters);

/// The change of one parameter. It names which one in the life of the chain it is, the first being 1, so
/// that what was signed for once makes it once. [PARAM-ONCE.1]
struct ParameterChange {
    Parameter parameter = Parameter::term_views;
    std::uint32_t value = 0;
    std::uint32_t number = 0;
    friend bool operator==(const ParameterChange&, const ParameterChange&) = default;
};

void encode(Writer& w, const Parameters& v);
void decode(Reader& r, Parameters& v);
void encode(Writer& w, const ParameterChange& v);
void decode(Reader& r, ParameterChange& v);

}  // namespace creto
