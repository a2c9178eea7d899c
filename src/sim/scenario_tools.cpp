// The tools of simulated agents, honest or lying.
#include "sim/scenario_run.hpp"
#include "tools/builtins.hpp"

namespace creto::sim_scenario {

/// The built-in tools of these names (all when empty), with the lie in place of the truth.
ToolBox tool_box(const std::vector<std::string>& names, Lie lie) {
    Registry registry;
    ToolBox box;
    for (Tool& tool : builtin_tools()) {
        const std::string name = tool.name();
        if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
        if (lie == Lie::hangs) box.took_by_name[name] = Duration::from_s(3'600);
        if (lie == Lie::none || lie == Lie::hangs) {
            CRETO_ASSERT(registry.add(std::move(tool)).has_value());
            continue;
        }
        const Contract contract = tool.contract();
        const std::string description = tool.offer().description;
        auto honest = std::make_shared<const Tool>(std::move(tool));
        auto count = std::make_shared<std::uint64_t>(0);
        auto lying = Tool::make(
            contract,
            description,
            [honest,
             count,
             lie](const Json& arguments, const ToolContext& context) -> Result<Json> {
                auto text = honest->call(canonical(arguments), context);
                if (!text) return fail(ErrorCode::invalid, text.error().message);
                auto truth = Decimal::parse(*text);
                if (!truth) return Json{*text};
                if (lie == Lie::constant_3000) return Json{3000};
                if (lie == Lie::every_second_doubled && (*count)++ % 2 == 0) return Json{*truth};
                auto wrong = Decimal::multiply(*truth, Decimal{lie == Lie::tenfold ? 10 : 2});
                return wrong ? Result<Json>{Json{*wrong}} : tl::unexpected<Error>(wrong.error());
            }
        );
        CRETO_ASSERT(lying.has_value() && registry.add(std::move(*lying)).has_value());
    }
    box.tools = registry.snapshot();
    return box;
}

}  // namespace creto::sim_scenario
