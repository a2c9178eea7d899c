#include "scale/bench/scenario_file.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "link/profile.hpp"
#include "scale/bench/metrics.hpp"
#include "scale/bench/toml_keys.hpp"
#include "scale/nearest.hpp"
#include "scale/replay/storage_replay.hpp"

namespace creto {
namespace {

constexpr std::array<const char*, 15> step_names{
    "kill",
    "kill-until",
    "partition",
    "latency",
    "loss",
    "cpu",
    "memory",
    "disk",
    "clock",
    "parameters",
    "churn",
    "restart-all",
    "workload",
    "at-once",
    "remove-liars"};

const std::vector<std::string> micro_suites{"vertex", "graph", "hashing", "storage"};

constexpr auto view_interval_max = Duration::from_s(60);

std::string one_of(const std::string& word, const std::vector<std::string>& known) {
    const auto meant = nearest(word.substr(0, 64), known, 4);
    std::string all;
    for (const std::string& one : known)
        all += (all.empty() ? "" : ", ") + one;
    return "there is no \"" + word.substr(0, 64) + "\"" +
           (meant ? "; did you mean \"" + *meant + "\"?" : "; there are: " + all);
}

Result<void> read_network(TomlKeys& keys, ScenarioNetwork& out) {
    constexpr double mbps = 1e6;
    if (const auto nodes = keys.whole("nodes", 4, limits::scenario_nodes_max))
        out.nodes = static_cast<std::uint32_t>(*nodes);
    if (const auto name = keys.text("profile")) {
        const auto profile = parse_profile(*name);
        if (profile) {
            out.profile = profile->name;
        } else {
            keys.refuse("profile", one_of(*name, {"local", "lan", "wan", "degraded"}));
        }
    }
    if (const auto share = keys.share_ppm("byzantine")) out.byzantine_ppm = *share;
    if (const auto name = keys.text("attack")) {
        const auto attack = parse_attack(*name);
        std::vector<std::string> known;
        for (const Attack one : all_attacks())
            known.emplace_back(to_string(one));
        if (attack) {
            out.attack = *attack;
        } else {
            keys.refuse("attack", one_of(*name, known));
        }
    }
    if (const auto spares = keys.whole("spares", 0, limits::scenario_nodes_max))
        out.spares = static_cast<std::uint32_t>(*spares);
    if (const auto blocks =
            keys.whole("epoch_blocks", limits::epoch_blocks_min, limits::epoch_blocks_max))
        out.epoch_blocks = static_cast<std::uint32_t>(*blocks);
    if (const auto blocks = keys.whole("keep_blocks", 1, 1'000'000'000))
        out.keep_blocks = static_cast<std::uint32_t>(*blocks);
    if (const auto span = keys.duration("view_interval")) {
        if (*span > view_interval_max) keys.refuse("view_interval", "at most 60s");
        out.view_interval = *span;
    }
    if (const auto form = keys.text("votes")) {
        if (*form == "list" || *form == "joined") {
            out.vote_form = *form == "list" ? VoteForm::list : VoteForm::joined;
        } else {
            keys.refuse("votes", one_of(*form, {"list", "joined"}));
        }
    }
    if (const auto rate = keys.number("bandwidth_mbps", 0.001, 1'000'000))
        out.bandwidth_bps = static_cast<std::uint64_t>(*rate * mbps);
    return keys.finish();
}

Result<void> read_load(TomlKeys& keys, ScaleScenario& out) {
    if (const auto word = keys.text("workload")) {
        const auto workload = Workload::parse(*word);
        if (workload) {
            out.workload = *workload;
        } else {
            keys.refuse("workload", workload.error().message);
        }
    }
    if (const auto bytes = keys.whole("payload", 8, limits::operation_bytes_max - 1'024))
        out.payload_bytes = static_cast<std::uint32_t>(*bytes);
    out.one_client_node = keys.flag("one_node");
    if (const auto span = keys.duration("duration")) out.duration = *span;
    if (const auto span = keys.duration("smoke")) out.smoke = *span;
    if (out.smoke < Duration::from_s(5)) keys.refuse("smoke", "at least 5s after the warm-up");
    out.smoke = std::min(out.smoke, out.duration);
    return keys.finish();
}

Result<void> read_storage(TomlKeys& keys, ScaleScenario& out) {
    if (const auto stores = keys.whole("replay", 0, StorageReplay::stores_max))
        out.replayed_stores = static_cast<std::uint32_t>(*stores);
    return keys.finish();
}

void read_amounts(TomlKeys& keys, const ScaleScenario& scenario, ScenarioStep& out) {
    const StepKind kind = out.kind;
    const std::uint32_t nodes_max =
        kind == StepKind::at_once ? 100'000 : scenario.network.nodes - 1;
    if (const auto nodes = keys.whole("nodes", 1, nodes_max))
        out.nodes = static_cast<std::uint32_t>(*nodes);
    const auto needs = [&](const char* key, bool is_there) {
        if (!is_there && keys.is_good())
            keys.refuse(key, std::string{"a step "} + to_string(kind) + " needs it");
    };
    const bool names_nodes = kind == StepKind::kill || kind == StepKind::kill_until ||
                             kind == StepKind::cpu || kind == StepKind::memory ||
                             kind == StepKind::disk || kind == StepKind::clock ||
                             kind == StepKind::churn || kind == StepKind::at_once;
    if (names_nodes) needs("nodes", out.nodes > 0);
    if (kind == StepKind::partition) {
        for (const std::uint64_t size : keys.wholes("groups"))
            out.groups.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(size, 1'000'000)
            ));
        needs("groups", !out.groups.empty());
        const auto sum = std::accumulate(out.groups.begin(), out.groups.end(), std::uint64_t{0});
        if (out.groups.size() < 2 || sum != scenario.network.nodes)
            keys.refuse(
                "groups",
                "at least two sides that have all " + std::to_string(scenario.network.nodes) +
                    " nodes together; these have " + std::to_string(sum)
            );
    }
    const bool is_share =
        kind == StepKind::loss || kind == StepKind::cpu || kind == StepKind::memory;
    if (is_share) {
        const double most = kind == StepKind::loss ? 50 : 99;
        const auto percent = keys.number("percent", 0.001, most);
        needs("percent", percent.has_value());
        out.percent_milli = static_cast<std::uint32_t>(percent.value_or(0) * 1'000 + 0.5);
    }
    if (kind == StepKind::latency || kind == StepKind::clock) {
        const auto ms = keys.whole("ms", 1, 60'000);
        needs("ms", ms.has_value());
        out.ms = static_cast<std::uint32_t>(ms.value_or(0));
    }
    if (kind == StepKind::workload) {
        const auto word = keys.text("workload");
        needs("workload", word.has_value());
        out.workload = word.value_or("");
        if (const auto workload = Workload::parse(out.workload); word && !workload)
            keys.refuse("workload", workload.error().message);
    }
}

Result<void> read_step(TomlKeys& keys, ScaleScenario& scenario) {
    ScenarioStep out;
    out.name = keys.text("name").value_or("");
    const std::string kind = keys.text("kind").value_or("");
    const auto* const found = std::find(step_names.begin(), step_names.end(), kind);
    if (found == step_names.end()) {
        keys.refuse("kind", one_of(kind, {step_names.begin(), step_names.end()}));
        return keys.finish();
    }
    out.kind = static_cast<StepKind>(found - step_names.begin());
    out.at = keys.duration("at").value_or(Duration{});
    out.lasts = keys.duration("lasts");
    out.every = keys.duration("every");
    if (out.at >= scenario.duration) keys.refuse("at", "is after the load has ended");
    if (out.every && (!out.lasts || *out.lasts > *out.every || *out.every <= Duration{}))
        keys.refuse("every", "what comes again needs `lasts`, and ends before it comes again");
    if (out.every && scenario.duration / out.every->ms() > Duration::from_ms(100'000))
        keys.refuse("every", "comes more than 100,000 times");
    for (const ScenarioStep& other : scenario.steps)
        if (!out.name.empty() && other.name == out.name)
            keys.refuse("name", "another step is called so");
    read_amounts(keys, scenario, out);
    scenario.steps.push_back(std::move(out));
    return keys.finish();
}

Result<void> read_criterion(TomlKeys& keys, ScaleScenario& scenario) {
    constexpr double most = 1e15;
    ScenarioCriterion out;
    out.metric = keys.text("metric").value_or("");
    if (const auto known = known_metric(out.metric); !known)
        keys.refuse("metric", known.error().message);
    out.name = keys.text("name").value_or(out.metric);
    out.min = keys.number("min", -most, most);
    out.max = keys.number("max", -most, most);
    out.equals = keys.number("equals", -most, most);
    std::vector<std::string> names;
    for (const ScenarioStep& one : scenario.steps)
        if (!one.name.empty()) names.push_back(one.name);
    const auto step_of = [&](const char* key) {
        const auto step = keys.text(key);
        if (step && std::find(names.begin(), names.end(), *step) == names.end())
            keys.refuse(key, one_of(*step, names));
        return step.value_or("");
    };
    for (const auto& [key, window] :
         {std::pair{"before", Window::before},
          std::pair{"during", Window::during},
          std::pair{"after", Window::after}}) {
        const std::string step = step_of(key);
        if (step.empty()) continue;
        out.window = window;
        out.step = step;
    }
    out.until = step_of("until");
    std::vector<std::string> variants;
    for (const ScenarioVariant& variant : scenario.variants)
        variants.push_back(variant.name);
    for (auto [key, to] :
         {std::pair{"variant", &out.variant}, std::pair{"relative_to", &out.relative_to}}) {
        *to = keys.text(key).value_or("");
        if (!to->empty() && std::find(variants.begin(), variants.end(), *to) == variants.end())
            keys.refuse(key, one_of(*to, variants));
    }
    out.needs_full = keys.flag("needs_full");
    out.scales = keys.flag("scales");
    out.is_wish = keys.flag("wish");
    out.not_applicable = keys.text("not_applicable").value_or("");
    if (!out.min && !out.max && !out.equals && out.not_applicable.empty())
        keys.refuse("metric", "needs min, max or equals, or not_applicable with the reason");
    if (out.metric.starts_with(StorageReplay::metric_prefix)) {
        if (scenario.replayed_stores == 0 && out.not_applicable.empty())
            keys.refuse("metric", "needs [storage] with replay = 1 to 4");
        if (out.window != Window::whole) keys.refuse("metric", "is of the whole run only");
    }
    for (const ScenarioCriterion& other : scenario.criteria)
        if (other.name == out.name) keys.refuse("name", "another criterion is called so");
    scenario.criteria.push_back(std::move(out));
    return keys.finish();
}

Result<ScaleScenario> read_scenario(const toml::table& table, const std::string& file) {
    ScaleScenario out;
    TomlKeys top{table, file, "the file"};
    out.name = top.text("name").value_or("");
    out.category = top.text("category").value_or("");
    out.about = top.text("about").value_or("");
    out.base = top.text("base").value_or("");
    out.micro = top.text("micro").value_or("");
    if (out.name.empty()) top.refuse("", "a scenario has a name");
    const auto& categories = scenario_categories();
    if (std::find(categories.begin(), categories.end(), out.category) == categories.end())
        top.refuse("category", one_of(out.category, categories));
    if (!out.micro.empty() &&
        std::find(micro_suites.begin(), micro_suites.end(), out.micro) == micro_suites.end())
        top.refuse("micro", one_of(out.micro, micro_suites));
    const toml::table* network = top.table("network");
    const toml::table* load = top.table("load");
    const toml::table* storage = top.table("storage");
    const auto steps = top.tables("step", limits::scenario_steps_max);
    const auto variants = top.tables("variant", limits::scenario_variants_max);
    const auto criteria = top.tables("criterion", limits::scenario_criteria_max);
    if (criteria.empty()) top.refuse("", "a scenario has at least one [[criterion]]");
    if (auto good = top.finish(); !good) return tl::unexpected<Error>(good.error());

    const auto each = [&](const toml::table& one, const char* where, auto read) -> Result<void> {
        TomlKeys keys{one, file, where};
        return read(keys);
    };
    Result<void> good;
    if (network != nullptr)
        good =
            each(*network, "[network]", [&](TomlKeys& k) { return read_network(k, out.network); });
    if (good && load != nullptr)
        good = each(*load, "[load]", [&](TomlKeys& keys) { return read_load(keys, out); });
    if (good && storage != nullptr)
        good = each(*storage, "[storage]", [&](TomlKeys& keys) { return read_storage(keys, out); });
    for (const toml::table* one : steps)
        if (good) good = each(*one, "[[step]]", [&](TomlKeys& k) { return read_step(k, out); });
    for (const toml::table* one : variants)
        if (good)
            good = each(*one, "[[variant]]", [&](TomlKeys& keys) {
                ScenarioVariant variant{keys.text("name").value_or(""), out.network};
                if (variant.name.empty()) keys.refuse("", "a variant has a name");
                if (variant.name != "" && keys.has("nodes") && !out.steps.empty())
                    keys.refuse("nodes", "steps count nodes of one network");
                auto read = read_network(keys, variant.network);
                out.variants.push_back(std::move(variant));
                return read;
            });
    for (const toml::table* one : criteria)
        if (good)
            good = each(*one, "[[criterion]]", [&](TomlKeys& k) { return read_criterion(k, out); });
    if (!good) return tl::unexpected<Error>(good.error());
    return out;
}

std::uint32_t scaled(std::uint32_t count, std::uint32_t from, std::uint32_t to, bool rounds_up) {
    const std::uint64_t product = std::uint64_t{count} * to;
    const std::uint64_t value = (product + (rounds_up ? from - 1 : 0)) / from;
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, value));
}

}  // namespace

const char* to_string(StepKind kind) {
    return step_names.at(static_cast<std::size_t>(kind));
}

const std::vector<std::string>& scenario_categories() {
    static const std::vector<std::string> all{
        "infrastructure", "load", "stress", "soak", "chaos", "byzantine", "performance"};
    return all;
}

std::uint32_t ScaleScenario::nodes_max() const {
    std::uint32_t most = network.nodes + network.spares;
    for (const ScenarioVariant& variant : variants)
        most = std::max(most, variant.network.nodes + variant.network.spares);
    return most;
}

std::string ScaleScenario::too_big() const {
    const std::uint32_t most = nodes_max();
    if (most <= limits::seats_max) return "";
    return std::to_string(most) + " validators, and a roster holds at most " +
           std::to_string(limits::seats_max) + ": each node has a link with each";
}

Result<ScaleScenario> parse_scenario(std::string_view text, const std::string& file) {
    if (text.size() > limits::scenario_file_bytes_max)
        return fail(
            ErrorCode::invalid,
            file + ": longer than " + std::to_string(limits::scenario_file_bytes_max) + " bytes"
        );
    toml::table table;
    try {
        table = toml::parse(text, file);
    } catch (const toml::parse_error& error) {
        return fail(
            ErrorCode::invalid,
            file + ":" + std::to_string(error.source().begin.line) + ": " +
                std::string{error.description()}
        );
    }
    return read_scenario(table, file);
}

Result<ScaleScenario> with_nodes(ScaleScenario scenario, std::uint32_t nodes) {
    if (nodes < 4 || nodes > limits::seats_max)
        return fail(
            ErrorCode::invalid,
            "--nodes is between 4 and " + std::to_string(limits::seats_max) + ", not " +
                std::to_string(nodes)
        );
    const std::uint32_t from = scenario.network.nodes;
    const auto shrink = [&](ScenarioNetwork& network) {
        const bool is_swept = network.nodes != from;
        network.nodes = is_swept ? std::clamp(
                                       scaled(network.nodes, from, nodes, false),
                                       4U,
                                       std::uint32_t{limits::seats_max}
                                   )
                                 : nodes;
        network.spares = network.spares == 0 ? 0
                                             : std::min(
                                                   scaled(network.spares, from, nodes, true),
                                                   std::uint32_t{limits::seats_max} - network.nodes
                                               );
    };
    for (ScenarioVariant& variant : scenario.variants)
        shrink(variant.network);
    shrink(scenario.network);
    for (ScenarioStep& step : scenario.steps) {
        if (step.kind == StepKind::at_once) continue;
        // More than a third of the nodes stays more than a third.
        const bool is_over = std::uint64_t{step.nodes} * 3 > from;
        if (step.nodes > 0)
            step.nodes = std::min(nodes - 1, scaled(step.nodes, from, nodes, is_over));
        if (step.groups.empty()) continue;
        std::uint32_t left = nodes;
        for (std::size_t i = 1; i < step.groups.size(); ++i) {
            step.groups[i] = std::min(left - 1, scaled(step.groups[i], from, nodes, false));
            left -= step.groups[i];
        }
        step.groups[0] = left;
    }
    return scenario;
}

ScaleScenario shortened(ScaleScenario scenario) {
    constexpr auto lasts_least = Duration::from_s(5);
    const std::int64_t whole = scenario.duration.ms();
    const std::int64_t part = scenario.smoke.ms();
    if (part >= whole) return scenario;
    const auto shorter = [&](Duration span) {
        return Duration::from_ms(
            span.ms() / 1'000 * part / std::max<std::int64_t>(1, whole / 1'000)
        );
    };
    for (ScenarioStep& step : scenario.steps) {
        step.at = shorter(step.at);
        if (step.lasts)
            step.lasts = std::max(shorter(*step.lasts), std::min(*step.lasts, lasts_least));
        if (step.every)
            step.every = std::max(shorter(*step.every), std::min(*step.every, *step.lasts * 2));
    }
    scenario.duration = scenario.smoke;
    return scenario;
}

}  // namespace creto
