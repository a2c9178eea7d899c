// Whatever Contract::parse() accepts is the one definition of its contract.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "tools/registry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace creto;
    const std::string_view text = as_text({data, size});
    const auto contract = Contract::parse(text);
    if (!contract) return 0;
    CRETO_ASSERT(contract->definition() == text);
    CRETO_ASSERT(well_formed(*contract).has_value());
    const auto tool = Tool::make(*contract, "", [](const Json& arguments, const ToolContext&) {
        return Result<Json>{arguments};
    });
    if (!tool) return 0;
    CRETO_ASSERT(tool->id() == contract->id());
    const auto result = tool->call("{}", {});
    CRETO_ASSERT(result || result.error().status != CallAnswer::Status::result);
    return 0;
}
