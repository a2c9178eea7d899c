#include "scale/config.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <sstream>
#include <toml++/toml.h>

#include "scale/nearest.hpp"

extern char** environ;

namespace creto {

namespace {

/// One setting: how to take it from TOML and from text.
struct Setting {
    std::string name;  ///< "network.listen"
    std::string about;
    std::function<bool(const toml::node&)> from_toml;
    std::function<bool(const std::string&)> from_text;
    std::function<std::string()> to_text;
    std::string expected;
};

std::string toml_text(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + "\"";
}

Setting text_setting(const char* name, std::string& field, const char* about) {
    return {
        name,
        about,
        [&field](const toml::node& node) {
            const std::optional<std::string> value = node.value_exact<std::string>();
            if (value) field = *value;
            return value.has_value();
        },
        [&field](const std::string& text) {
            field = text;
            return true;
        },
        [&field] { return toml_text(field); },
        "text in quotes"};
}

Setting list_setting(const char* name, std::vector<std::string>& field, const char* about) {
    return {
        name,
        about,
        [&field](const toml::node& node) {
            const toml::array* array = node.as_array();
            if (array == nullptr) return false;
            field.clear();
            for (const toml::node& item : *array) {
                const auto value = item.value_exact<std::string>();
                if (!value) return false;
                field.push_back(*value);
            }
            return true;
        },
        [&field](const std::string& text) {
            field.clear();
            std::stringstream in{text};
            for (std::string item; std::getline(in, item, ',');) {
                if (!item.empty()) field.push_back(item);
            }
            return true;
        },
        [&field] {
            std::string out = "[";
            for (const std::string& item : field)
                out += (out.size() > 1 ? ", " : "") + toml_text(item);
            return out + "]";
        },
        "a list of texts"};
}

Setting number_setting(
    const char* name, std::uint64_t& field, std::uint64_t min, std::uint64_t max, const char* about
) {
    const auto take = [&field, min, max](std::int64_t value) {
        if (value < 0 || static_cast<std::uint64_t>(value) < min ||
            static_cast<std::uint64_t>(value) > max) {
            return false;
        }
        field = static_cast<std::uint64_t>(value);
        return true;
    };
    return {
        name,
        about,
        [take](const toml::node& node) {
            const auto value = node.value_exact<std::int64_t>();
            return value && take(*value);
        },
        [take](const std::string& text) {
            std::int64_t value = 0;
            const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
            return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() &&
                   take(value);
        },
        [&field] { return std::to_string(field); },
        "a number from " + std::to_string(min) + " to " + std::to_string(max)};
}

Setting flag_setting(const char* name, bool& field, const char* about) {
    return {
        name,
        about,
        [&field](const toml::node& node) {
            const auto value = node.value_exact<bool>();
            if (value) field = *value;
            return value.has_value();
        },
        [&field](const std::string& text) {
            if (text != "true" && text != "false") return false;
            field = text == "true";
            return true;
        },
        [&field] { return field ? "true" : "false"; },
        "true or false"};
}

Setting level_setting(const char* name, LogLevel& field, const char* about) {
    constexpr std::array<const char*, 5> names{"trace", "debug", "info", "warn", "error"};
    const auto take = [&field, names](const std::string& text) {
        const auto found = std::find(names.begin(), names.end(), text);
        if (found == names.end()) return false;
        field = static_cast<LogLevel>(found - names.begin());
        return true;
    };
    return {
        name,
        about,
        [take](const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            return value && take(*value);
        },
        take,
        [&field, names] { return toml_text(names[static_cast<std::size_t>(field)]); },
        "trace, debug, info, warn or error"};
}

std::vector<Setting> settings_of(Config& c) {
    return {
        text_setting("node.name", c.name, "How people call this agent."),
        text_setting("node.genesis", c.genesis, "Who holds which seat."),
        text_setting("node.key", c.key, "The agent's secret; keep its mode 0600."),
        text_setting("node.data", c.data, "Where the store and the vote log live."),
        text_setting("network.listen", c.listen, "Where other agents connect to."),
        list_setting("network.advertise", c.advertise, "What to tell others instead of the above."),
        list_setting("network.bootstrap", c.bootstrap, "Whom to connect to first."),
        flag_setting("network.bind_outgoing", c.bind_outgoing, "Dial from the listening address."),
        number_setting(
            "network.handshake_timeout_ms",
            c.handshake_timeout_ms,
            10,
            600'000,
            "For a peer to prove who it is."
        ),
        text_setting("admin.listen", c.admin_listen, "Command line, health and metrics."),
        text_setting("admin.token", c.admin_token, "Needed when admin.listen is not loopback."),
        number_setting(
            "admin.timeout_ms", c.admin_timeout_ms, 10, 600'000, "For a request to arrive."
        ),
        list_setting(
            "tools.builtin", c.builtin, "Names of built-in tools, or \"all\", or \"none\"."
        ),
        number_setting("tools.workers", c.workers, 1, 64, "Threads for tools that may be slow."),
        number_setting(
            "limits.calls_per_s",
            c.calls_per_s,
            0,
            100'000'000,
            "Calls of one peer; 0: only what they cost counts."
        ),
        number_setting(
            "limits.calls_burst", c.calls_burst, 1, 100'000'000, "Above it, for a moment."
        ),
        number_setting(
            "limits.messages_per_s", c.messages_per_s, 1, 100'000'000, "Messages of one peer."
        ),
        number_setting(
            "limits.bytes_per_s", c.bytes_per_s, 1'000'000, 1'000'000'000, "Their bytes."
        ),
        number_setting(
            "limits.checks_per_s", c.checks_per_s, 1, 1'000'000, "Signatures to check for it."
        ),
        number_setting(
            "limits.tool_ms_per_s",
            c.tool_ms_per_s,
            1,
            100'000,
            "Milliseconds of tools for it; 1000: one thread's."
        ),
        number_setting(
            "limits.held_bytes",
            c.held_bytes,
            limits::arguments_bytes_max,
            1'000'000'000'000,
            "Arguments of its calls under way."
        ),
        number_setting(
            "limits.group_peers",
            c.group_peers,
            0,
            1'000,
            "All agents of one IPv4 /24 or IPv6 /48 without a seat may do what so many may; 0: any."
        ),
        number_setting("order.delta_ms", c.delta_ms, 1, 60'000, "First guess of a message delay."),
        number_setting("order.heartbeat_ms", c.heartbeat_ms, 100, 3'600'000, "Idle views."),
        number_setting(
            "storage.keep_blocks",
            c.keep_blocks,
            0,
            1'000'000'000'000,
            "Final blocks kept below the newest; 0: all."
        ),
        level_setting("log.level", c.log_level, "trace, debug, info, warn, error"),
        text_setting("log.trace", c.trace, "A file for a line about each event; for analysis."),
        text_setting("drill.answers", c.answers, "Deviation for exercises only."),
    };
}

std::string unknown(const std::string& name, const std::vector<Setting>& settings) {
    std::vector<std::string> names;
    for (const Setting& setting : settings)
        names.push_back(setting.name);
    const auto meant = nearest(name, names, 4);
    return "there is no setting \"" + name + "\"" +
           (meant ? "; did you mean \"" + *meant + "\"?" : "");
}

Setting* find(std::vector<Setting>& settings, const std::string& name) {
    const auto found = std::find_if(settings.begin(), settings.end(), [&](const Setting& s) {
        return s.name == name;
    });
    return found == settings.end() ? nullptr : &*found;
}

std::string variable_of(const std::string& name) {
    std::string out = "CRETO_";
    for (const char c : name) {
        out.push_back(
            c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
        );
    }
    return out;
}

std::string place(const std::filesystem::path& file, const toml::source_region& where) {
    return file.string() + ":" + std::to_string(where.begin.line) + ": ";
}

Result<void> apply_toml(
    const std::filesystem::path& file, const std::string& text, std::vector<Setting>& settings
) {
    toml::table table;
    try {
        table = toml::parse(text, file.string());
    } catch (const toml::parse_error& error) {
        return fail(
            ErrorCode::invalid, place(file, error.source()) + std::string{error.description()}
        );
    }
    for (const auto& [section, node] : table) {
        const toml::table* keys = node.as_table();
        if (keys == nullptr) {
            return fail(
                ErrorCode::invalid,
                place(file, node.source()) + "\"" + std::string{section.str()} +
                    "\" stands outside of any [section]"
            );
        }
        for (const auto& [key, value] : *keys) {
            const std::string name = std::string{section.str()} + "." + std::string{key.str()};
            Setting* setting = find(settings, name);
            if (setting == nullptr) {
                return fail(
                    ErrorCode::invalid, place(file, value.source()) + unknown(name, settings)
                );
            }
            if (!setting->from_toml(value)) {
                return fail(
                    ErrorCode::invalid,
                    place(file, value.source()) + name + " must be " + setting->expected
                );
            }
        }
    }
    return {};
}

}  // namespace

std::map<std::string, std::string> creto_environment() {
    std::map<std::string, std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text{*entry};
        const std::size_t equals = text.find('=');
        if (text.rfind("CRETO_", 0) == 0 && equals != std::string::npos) {
            out[text.substr(0, equals)] = text.substr(equals + 1);
        }
    }
    return out;
}

Result<Config> load_config(
    const std::filesystem::path& dir, const std::map<std::string, std::string>& environment
) {
    Config config;
    config.dir = dir;
    std::vector<Setting> settings = settings_of(config);
    const std::filesystem::path file = dir / "creto.toml";
    if (std::filesystem::exists(file)) {
        auto text = read_file(file, 1U << 20U);
        if (!text) return tl::unexpected<Error>(text.error());
        if (auto applied = apply_toml(file, *text, settings); !applied) {
            return tl::unexpected<Error>(applied.error());
        }
    }
    for (const Setting& setting : settings) {
        const auto given = environment.find(variable_of(setting.name));
        if (given == environment.end()) continue;
        if (!setting.from_text(given->second)) {
            return fail(ErrorCode::invalid, given->first + " must be " + setting.expected);
        }
    }
    return config;
}

std::vector<std::string> setting_variables() {
    Config config;
    std::vector<std::string> out;
    for (const Setting& setting : settings_of(config))
        out.push_back(variable_of(setting.name));
    return out;
}

std::string to_toml(const Config& config) {
    Config copy = config;
    std::string out = "# Settings of this agent. Each can also be given as CRETO_SECTION_KEY.\n";
    std::string section;
    for (const Setting& setting : settings_of(copy)) {
        const std::size_t dot = setting.name.find('.');
        const std::string its_section = setting.name.substr(0, dot);
        if (its_section == "drill" && config.answers.empty()) continue;
        if (its_section != section) {
            section = its_section;
            out += "\n[" + section + "]\n";
        }
        out += setting.name.substr(dot + 1) + " = " + setting.to_text() + "  # " + setting.about +
               "\n";
    }
    return out;
}

PeerLimits peer_limits(const Config& config) {
    // Bursts above a rate, as in the defaults of PeerLimits.
    constexpr std::uint64_t most = 1'000'000'000;
    PeerLimits out;
    out.calls = {config.calls_per_s, config.calls_burst};
    out.messages = {config.messages_per_s, 2 * config.messages_per_s};
    out.bytes = {config.bytes_per_s, std::min(most, 4 * config.bytes_per_s)};
    out.checks = {config.checks_per_s, 4 * config.checks_per_s};
    out.tool_us = {1'000 * config.tool_ms_per_s, std::min(most, 10'000 * config.tool_ms_per_s)};
    out.held_bytes = config.held_bytes;
    out.group_peers = config.group_peers;
    return out;
}

}  // namespace creto
