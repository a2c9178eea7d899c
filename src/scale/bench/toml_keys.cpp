#include "scale/bench/toml_keys.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "scale/nearest.hpp"
#include "sim/run/workload.hpp"

namespace creto {
namespace {

std::string plain(double value) {
    char out[32];
    std::snprintf(out, sizeof out, "%g", value);
    return out;
}

}  // namespace

std::string TomlKeys::at(const toml::node* node) const {
    const auto line = node == nullptr ? table_.source().begin.line : node->source().begin.line;
    return file_ + ":" + std::to_string(line) + ": ";
}

const toml::node* TomlKeys::find(const char* key) {
    known_.emplace_back(key);
    return table_.get(key);
}

void TomlKeys::refuse(const char* key, const std::string& what) {
    if (error_) return;
    error_ = Error{
        ErrorCode::invalid,
        at(table_.get(key)) + where_ + (*key == '\0' ? "" : " " + std::string{key}) + ": " + what};
}

std::optional<std::string> TomlKeys::text(const char* key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value_exact<std::string>();
    if (!value) refuse(key, "must be a text");
    return value;
}

std::optional<double> TomlKeys::number(const char* key, double least, double most) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    std::optional<double> value;
    if (node->is_number()) value = node->value<double>();
    if (value && std::isfinite(*value) && *value >= least && *value <= most) return value;
    refuse(key, "must be a number from " + plain(least) + " to " + plain(most));
    return std::nullopt;
}

std::optional<std::uint64_t> TomlKeys::whole(
    const char* key, std::uint64_t least, std::uint64_t most
) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    const auto value = node->value_exact<std::int64_t>();
    if (value && *value >= 0 && static_cast<std::uint64_t>(*value) >= least &&
        static_cast<std::uint64_t>(*value) <= most)
        return static_cast<std::uint64_t>(*value);
    refuse(
        key, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most)
    );
    return std::nullopt;
}

bool TomlKeys::flag(const char* key) {
    const toml::node* node = find(key);
    if (node == nullptr) return false;
    const auto value = node->value_exact<bool>();
    if (!value) refuse(key, "must be true or false");
    return value.value_or(false);
}

std::optional<Duration> TomlKeys::duration(const char* key) {
    const auto written = text(key);
    if (!written) return std::nullopt;
    if (*written == "0s") return Duration{};
    const auto value = parse_duration(*written);
    if (value) return *value;
    refuse(key, value.error().message);
    return std::nullopt;
}

std::optional<std::uint32_t> TomlKeys::share_ppm(const char* key) {
    const toml::node* node = find(key);
    if (node == nullptr) return std::nullopt;
    std::optional<double> share;
    if (node->is_number()) share = node->value<double>();
    if (const auto written = node->value_exact<std::string>();
        written && written->size() > 1 && written->size() < 16 && written->back() == '%') {
        char* end = nullptr;
        const double percent = std::strtod(written->c_str(), &end);
        if (*end == '%') share = percent / 100;
    }
    if (share && *share >= 0 && *share <= 1)
        return static_cast<std::uint32_t>(std::lround(*share * 1e6));
    refuse(key, "is a share from 0% to 100%, such as \"30%\" or 0.3");
    return std::nullopt;
}

std::vector<std::uint64_t> TomlKeys::wholes(const char* key) {
    const toml::node* node = find(key);
    if (node == nullptr) return {};
    std::vector<std::uint64_t> out;
    const toml::array* list = node->as_array();
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        const auto value = (*list)[i].value_exact<std::int64_t>();
        if (value && *value > 0) out.push_back(static_cast<std::uint64_t>(*value));
    }
    if (list == nullptr || out.size() != list->size())
        refuse(key, "must be a list of whole numbers above 0");
    return out;
}

const toml::table* TomlKeys::table(const char* key) {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) refuse(key, "must be a section [" + std::string{key} + "]");
    return node->as_table();
}

std::vector<const toml::table*> TomlKeys::tables(const char* key, std::size_t most) {
    const toml::node* node = find(key);
    std::vector<const toml::table*> out;
    if (node == nullptr) return out;
    const toml::array* list = node->as_array();
    if (list == nullptr) {
        refuse(key, "must be sections [[" + std::string{key} + "]]");
        return out;
    }
    if (list->size() > most) refuse(key, "at most " + std::to_string(most));
    for (const toml::node& one : *list) {
        if (one.is_table()) out.push_back(one.as_table());
    }
    if (out.size() != list->size()) refuse(key, "must be sections [[" + std::string{key} + "]]");
    return out;
}

Result<void> TomlKeys::finish() {
    for (const auto& [key, value] : table_) {
        const std::string name{key.str()};
        bool is_known = false;
        for (const std::string& known : known_)
            is_known = is_known || known == name;
        if (is_known || error_) continue;
        const auto meant = nearest(name.substr(0, 64), known_, 4);
        error_ = Error{
            ErrorCode::invalid,
            at(&value) + where_ + " has no key \"" + name.substr(0, 64) + "\"" +
                (meant ? "; did you mean \"" + *meant + "\"?" : "")};
    }
    if (error_) return tl::unexpected<Error>(*error_);
    return {};
}

}  // namespace creto
