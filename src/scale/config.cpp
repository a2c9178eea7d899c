#include "scale/config.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
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

/// The fields of one object of genesis.json. What all must agree on is read without guessing: an
/// unknown field or a wrong kind of value is refused. The first thing that is wrong stays.
class Fields {
public:
    Fields(const nlohmann::json& object, std::string path, const std::vector<std::string>& known)
        : object_{object}, path_{std::move(path)} {
        for (const auto& [name, value] : object.items()) {
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            const auto meant = nearest(name, known, 3);
            note(
                "there is no field \"" + path_ + name + "\"" +
                (meant ? "; did you mean \"" + *meant + "\"?" : "")
            );
        }
    }
    std::string text(const char* name, std::optional<std::string> missing = {}) {
        const auto found = object_.find(name);
        if (found == object_.end() && missing) return *missing;
        if (found != object_.end() && found->is_string()) return found->get<std::string>();
        note(path_ + name + " must be a text");
        return {};
    }
    std::uint32_t whole(const char* name, std::optional<std::uint32_t> missing = {}) {
        constexpr std::uint32_t most = ~0U;
        const auto found = object_.find(name);
        if (found == object_.end() && missing) return *missing;
        if (found != object_.end() && found->is_number_unsigned() &&
            found->get<std::uint64_t>() <= most)
            return found->get<std::uint32_t>();
        note(path_ + name + " must be a whole number, 0 to " + std::to_string(most));
        return 0;
    }
    /// Empty when nothing is.
    [[nodiscard]] const std::string& wrong() const { return wrong_; }

private:
    void note(std::string what) {
        if (wrong_.empty()) wrong_ = std::move(what);
    }

    const nlohmann::json& object_;
    std::string path_;
    std::string wrong_;
};

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

Result<Genesis> read_genesis(const std::filesystem::path& file) {
    auto text = read_file(file, 1U << 20U);
    if (!text && text.error().code == ErrorCode::not_found) {
        text.error().message += "; put the network's genesis.json there";
    }
    if (!text) return tl::unexpected<Error>(text.error());
    const auto refuse = [&](const std::string& why) {
        return fail(ErrorCode::invalid, file.string() + ": " + why);
    };
    const nlohmann::json doc = nlohmann::json::parse(*text, nullptr, false);
    if (doc.is_discarded() || !doc.is_object()) return refuse("it is not a JSON object");
    Genesis genesis;
    Fields fields{
        doc,
        "",
        {"network",
         "mode",
         "view_interval_ms",
         "term_views",
         "checkpoint_blocks",
         "epoch_blocks",
         "operators",
         "operators_needed",
         "members"}};
    genesis.network = fields.text("network");
    const std::string mode = fields.text("mode", "byzantine");
    genesis.mode = mode == "crash" ? QuorumMode::crash : QuorumMode::byzantine;
    genesis.view_interval_ms = fields.whole("view_interval_ms", 0);
    genesis.term_views = fields.whole("term_views", 1);
    genesis.checkpoint_blocks = fields.whole("checkpoint_blocks", limits::checkpoint_blocks);
    genesis.epoch_blocks = fields.whole("epoch_blocks", 0);
    genesis.operators_needed = fields.whole("operators_needed", 0);
    if (!fields.wrong().empty()) return refuse(fields.wrong());
    if (mode != "byzantine" && mode != "crash") return refuse("mode must be byzantine or crash");
    if (doc.contains("operators") && !doc["operators"].is_array())
        return refuse("operators must be a list of agents, as `creto keygen` prints them");
    for (const auto& item : doc.value("operators", nlohmann::json::array())) {
        const std::string name = "operators/" + std::to_string(genesis.operators.size());
        if (!item.is_string()) return refuse(name + " must be a text");
        auto key = parse_agent(item.get<std::string>());
        if (!key) return refuse(name + ": " + key.error().message);
        genesis.operators.push_back(*key);
    }
    if (!doc.contains("members") || !doc["members"].is_array())
        return refuse("members must be a list of seats");
    for (const auto& item : doc["members"]) {
        const std::string name = "members/" + std::to_string(genesis.members.size()) + "/";
        if (!item.is_object())
            return refuse(
                "members/" + std::to_string(genesis.members.size()) + " is not an object"
            );
        Fields member{item, name, {"seat", "name", "agent"}};
        const Seat seat{member.whole("seat")};
        const std::string called = member.text("name");
        const std::string key = member.text("agent");
        if (!member.wrong().empty()) return refuse(member.wrong());
        auto agent = parse_agent(key);
        if (!agent) return refuse(name + "agent: " + agent.error().message);
        genesis.members.push_back({seat, *agent, called});
    }
    if (auto good = validate(genesis); !good) return refuse(good.error().message);
    return genesis;
}

std::string genesis_json(const Genesis& genesis) {
    nlohmann::ordered_json members = nlohmann::ordered_json::array();
    for (const Member& member : genesis.members) {
        members.push_back(
            {{"seat", member.seat.value()},
             {"name", member.name},
             {"agent", agent_text(member.key)}}
        );
    }
    nlohmann::ordered_json doc{
        {"network", genesis.network},
        {"mode", genesis.mode == QuorumMode::crash ? "crash" : "byzantine"},
        {"view_interval_ms", genesis.view_interval_ms}};
    if (genesis.term_views != 1) doc["term_views"] = genesis.term_views;
    if (genesis.checkpoint_blocks != limits::checkpoint_blocks)
        doc["checkpoint_blocks"] = genesis.checkpoint_blocks;
    if (genesis.epoch_blocks != 0) doc["epoch_blocks"] = genesis.epoch_blocks;
    if (!genesis.operators.empty()) {
        for (const PublicKey& key : genesis.operators)
            doc["operators"].push_back(agent_text(key));
        doc["operators_needed"] = genesis.operators_needed;
    }
    doc["members"] = std::move(members);
    return doc.dump(2) + "\n";
}

Result<KeySeed> read_key(const std::filesystem::path& file) {
    struct stat info {};
    if (stat(file.c_str(), &info) == 0 && (info.st_mode & 077U) != 0) {
        return fail(
            ErrorCode::denied,
            file.string() + " can be read by others; run: chmod 600 " + file.string()
        );
    }
    auto text = read_file(file, 4096);
    if (!text && text.error().code == ErrorCode::not_found) {
        text.error().message += "; make one: creto keygen " + file.string();
    }
    if (!text) return tl::unexpected<Error>(text.error());
    while (!text->empty() && std::isspace(static_cast<unsigned char>(text->back())) != 0) {
        text->pop_back();
    }
    const auto bytes = from_hex(*text);
    if (!bytes || bytes->size() != KeySeed::size) {
        return fail(ErrorCode::invalid, file.string() + ": expected 64 hexadecimal digits");
    }
    std::array<std::uint8_t, KeySeed::size> seed{};
    std::copy(bytes->begin(), bytes->end(), seed.begin());
    return KeySeed{seed};
}

Result<void> write_key(const std::filesystem::path& file, const KeySeed& seed) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(
            errno == EEXIST ? ErrorCode::conflict : ErrorCode::io,
            file.string() + ": " + std::strerror(errno)
        );
    }
    const std::string text = to_hex(seed.view()) + "\n";
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    ::close(fd);
    if (!written) return fail(ErrorCode::io, file.string() + ": " + std::strerror(errno));
    return {};
}

Result<void> write_file(const std::filesystem::path& file, const std::string& text) {
    const std::filesystem::path beside = file.string() + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return fail(ErrorCode::io, beside.string() + ": " + std::strerror(errno));
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t step = ::write(fd, text.data() + done, text.size() - done);
        if (step <= 0) break;
        done += static_cast<std::size_t>(step);
    }
    const bool good = done == text.size() && ::fsync(fd) == 0;
    ::close(fd);
    if (!good || ::rename(beside.c_str(), file.c_str()) != 0) {
        return fail(ErrorCode::io, file.string() + ": " + std::strerror(errno));
    }
    return {};
}

Result<std::string> read_file(const std::filesystem::path& file, std::size_t bytes_max) {
    std::ifstream in{file, std::ios::binary};
    if (!in) {
        return fail(
            errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
            file.string() + ": " + std::strerror(errno)
        );
    }
    std::string text(bytes_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > bytes_max) {
        return fail(
            ErrorCode::limit,
            file.string() + ": larger than " + std::to_string(bytes_max) + " bytes"
        );
    }
    return text;
}

}  // namespace creto
