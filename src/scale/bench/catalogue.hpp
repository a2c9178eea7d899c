// Catalogue: the 79 scenarios that are in the binary, or those of a folder.
//
// Holds    The files of scenarios/ at the time of the build. A name is known with and without `test_`.
// Errors   not_found, with the nearest name; what parse_scenario() says of a file.
#pragma once

#include <string>
#include <vector>

#include "scale/bench/scenario_file.hpp"

namespace creto {

class Catalogue {
public:
    /// Of the binary; with a folder, its *.toml in place of these.
    [[nodiscard]] static Result<Catalogue> load(const std::string& folder = {});

    /// By category, in the order of the catalogue, then by name.
    [[nodiscard]] const std::vector<ScaleScenario>& all() const { return all_; }
    [[nodiscard]] Result<const ScaleScenario*> find(const std::string& name) const;
    [[nodiscard]] Result<std::vector<const ScaleScenario*>> in_category(const std::string& name
    ) const;

private:
    std::vector<ScaleScenario> all_;
};

}  // namespace creto
