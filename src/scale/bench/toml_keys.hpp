// TomlKeys: reads the keys of one TOML table, and refuses what nobody asked for.
//
// Holds    The first mistake is kept, with file, line, key and the nearest known one; after it the
//          getters give their fallbacks. finish() is the only way to learn that all is well.
#pragma once

#include <optional>
#include <string>
#include <toml++/toml.h>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace creto {

class TomlKeys {
public:
    /// `where` names the table in errors: "[network]". Both outlive it.
    TomlKeys(const toml::table& table, std::string file, std::string where)
        : table_{table}, file_{std::move(file)}, where_{std::move(where)} {}

    [[nodiscard]] std::optional<std::string> text(const char* key);
    [[nodiscard]] std::optional<double> number(const char* key, double least, double most);
    [[nodiscard]] std::optional<std::uint64_t> whole(
        const char* key, std::uint64_t least, std::uint64_t most
    );
    [[nodiscard]] bool flag(const char* key);
    [[nodiscard]] std::optional<Duration> duration(const char* key);
    /// "30%" or 0.3, in millionths of one.
    [[nodiscard]] std::optional<std::uint32_t> share_ppm(const char* key);
    [[nodiscard]] std::vector<std::uint64_t> wholes(const char* key);
    [[nodiscard]] const toml::table* table(const char* key);
    /// Tables of [[key]]; at most `most`.
    [[nodiscard]] std::vector<const toml::table*> tables(const char* key, std::size_t most);

    /// What the value of a key is wrong about.
    void refuse(const char* key, const std::string& what);
    [[nodiscard]] bool has(const char* key) const { return table_.contains(key); }
    [[nodiscard]] bool is_good() const { return !error_; }
    /// Also refuses keys that were not read.
    [[nodiscard]] Result<void> finish();

private:
    [[nodiscard]] const toml::node* find(const char* key);
    [[nodiscard]] std::string at(const toml::node* node) const;

    const toml::table& table_;
    std::string file_;
    std::string where_;
    std::vector<std::string> known_;
    std::optional<Error> error_;
};

}  // namespace creto
