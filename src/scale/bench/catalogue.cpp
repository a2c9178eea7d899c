#include "scale/bench/catalogue.hpp"

#include <algorithm>
#include <filesystem>

#include "scale/bench/scenario_files.hpp"
#include "scale/config.hpp"
#include "scale/nearest.hpp"

namespace creto {

Result<Catalogue> Catalogue::load(const std::string& folder) {
    Catalogue out;
    const auto take = [&](std::string_view text, const std::string& file) -> Result<void> {
        auto scenario = parse_scenario(text, file);
        if (!scenario) return tl::unexpected<Error>(scenario.error());
        for (const ScaleScenario& other : out.all_)
            if (other.name == scenario->name)
                return fail(
                    ErrorCode::invalid, file + ": another file has a scenario " + scenario->name
                );
        out.all_.push_back(std::move(*scenario));
        return {};
    };
    if (folder.empty()) {
        for (const embedded::TextFile& file : embedded::scenario_files())
            if (auto taken = take(file.text, "scenarios/" + std::string{file.name}); !taken)
                return tl::unexpected<Error>(taken.error());
    } else {
        std::error_code error;
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator{folder, error})
            if (entry.path().extension() == ".toml") files.push_back(entry.path());
        if (error)
            return fail(
                ErrorCode::not_found, "cannot read the folder " + folder + ": " + error.message()
            );
        if (files.empty())
            return fail(ErrorCode::not_found, folder + " has no scenario files (*.toml)");
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            auto text = read_file(file, limits::scenario_file_bytes_max);
            if (!text) return tl::unexpected<Error>(text.error());
            if (auto taken = take(*text, file.string()); !taken)
                return tl::unexpected<Error>(taken.error());
        }
    }
    const auto& order = scenario_categories();
    std::stable_sort(out.all_.begin(), out.all_.end(), [&](const auto& a, const auto& b) {
        const auto place = [&](const ScaleScenario& one) {
            return std::find(order.begin(), order.end(), one.category) - order.begin();
        };
        return std::pair{place(a), a.name} < std::pair{place(b), b.name};
    });
    return out;
}

Result<const ScaleScenario*> Catalogue::find(const std::string& name) const {
    std::vector<std::string> known;
    for (const ScaleScenario& one : all_) {
        if (one.name == name || one.alias() == name) return &one;
        known.push_back(one.name);
    }
    const auto meant = nearest(name.substr(0, 96), known, 12);
    return fail(
        ErrorCode::not_found,
        "there is no scenario \"" + name.substr(0, 96) + "\"" +
            (meant ? "; did you mean " + *meant + "?" : "; see `creto scale list`")
    );
}

Result<std::vector<const ScaleScenario*>> Catalogue::in_category(const std::string& name) const {
    std::vector<const ScaleScenario*> out;
    for (const ScaleScenario& one : all_)
        if (one.category == name) out.push_back(&one);
    if (!out.empty()) return out;
    std::string known;
    for (const std::string& one : scenario_categories())
        known += (known.empty() ? "" : ", ") + one;
    const auto meant = nearest(name.substr(0, 64), scenario_categories(), 6);
    return fail(
        ErrorCode::not_found,
        "there is no category \"" + name.substr(0, 64) + "\"" +
            (meant ? "; did you mean " + *meant + "?" : "; there are: " + known)
    );
}

}  // namespace creto
