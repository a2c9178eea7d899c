#include "runtime/tool_runner.hpp"

#include <chrono>

namespace creto {

namespace {

std::int64_t unix_ms_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch()
    )
        .count();
}

}  // namespace

ToolRunner::ToolRunner(Options options, Done done)
    : options_{options},
      done_{std::move(done)},
      tools_{std::make_shared<const RegistrySnapshot>()},
      workers_{options.workers} {}

void ToolRunner::set_tools(
    std::shared_ptr<const RegistrySnapshot> tools, std::set<std::string, std::less<>> quick
) {
    const std::lock_guard lock{mutex_};
    tools_ = std::move(tools);
    quick_ = std::move(quick);
}

std::shared_ptr<const RegistrySnapshot> ToolRunner::tools() const {
    const std::lock_guard lock{mutex_};
    return tools_;
}

Executed ToolRunner::run(
    const RegistrySnapshot& tools,
    Ticket ticket,
    const std::string& tool,
    const ContractId& contract,
    const std::string& arguments
) {
    const ToolContext context{.unix_ms = unix_ms_now()};
    auto result = call_local(tools, tool, arguments, context, contract);
    if (result) return {ticket, CallAnswer::Status::result, std::move(*result)};
    return {ticket, result.error().status, std::move(result.error().message)};
}

void ToolRunner::execute(const Execute& execute) {
    std::shared_ptr<const RegistrySnapshot> tools;
    bool quick = false;
    bool full = false;
    {
        const std::lock_guard lock{mutex_};
        tools = tools_;
        quick = quick_.count(execute.tool) > 0 || tools_->find(execute.tool) == nullptr;
        full = !quick && waiting_.size() >= options_.queue_max;
        if (!quick && !full) waiting_.insert(execute.ticket);
    }
    if (full) {
        done_({execute.ticket, CallAnswer::Status::overloaded, "too many calls wait for this tool"}
        );
        return;
    }
    if (quick) {
        done_(run(*tools, execute.ticket, execute.tool, execute.contract, execute.arguments));
        return;
    }
    workers_.post([this,
                   tools,
                   ticket = execute.ticket,
                   tool = execute.tool,
                   contract = execute.contract,
                   arguments = execute.arguments] {
        {
            const std::lock_guard lock{mutex_};
            if (waiting_.count(ticket) == 0) return;
        }
        Executed done = run(*tools, ticket, tool, contract, arguments);
        {
            const std::lock_guard lock{mutex_};
            if (waiting_.erase(ticket) == 0) return;
        }
        done_(std::move(done));
    });
}

void ToolRunner::cancel(Ticket ticket) {
    const std::lock_guard lock{mutex_};
    waiting_.erase(ticket);
}

void ToolRunner::stop() {
    workers_.stop();
}

}  // namespace creto
