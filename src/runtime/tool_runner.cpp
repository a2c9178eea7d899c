#include "runtime/tool_runner.hpp"

#include <chrono>

namespace creto {

namespace {

/// Of a run's time, before anything is known; what it took is charged afterwards.
constexpr Duration tool_guess = Duration::from_ms(1);

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
    using Clock = std::chrono::steady_clock;
    const ToolContext context{.unix_ms = unix_ms_now()};
    const auto begun = Clock::now();
    auto result = call_local(tools, tool, arguments, context, contract);
    const Duration took = Duration::from_ns(std::chrono::nanoseconds{Clock::now() - begun}.count());
    if (result) return {ticket, CallAnswer::Status::result, std::move(*result), took};
    return {ticket, result.error().status, std::move(result.error().message), took};
}

std::optional<Executed> ToolRunner::execute(const Execute& execute) {
    std::shared_ptr<const RegistrySnapshot> tools;
    bool quick = false;
    {
        const std::lock_guard lock{mutex_};
        tools = tools_;
        quick = quick_.count(execute.tool) > 0 || tools_->find(execute.tool) == nullptr;
    }
    if (quick)
        return run(*tools, execute.ticket, execute.tool, execute.contract, execute.arguments);
    if (!make_room(execute)) return std::nullopt;
    workers_.post(
        execute.caller,
        [this,
         tools,
         ticket = execute.ticket,
         tool = execute.tool,
         contract = execute.contract,
         arguments = execute.arguments] {
            Executed done = run(*tools, ticket, tool, contract, arguments);
            {
                const std::lock_guard lock{mutex_};
                open_.erase(ticket);
                if (cancelled_.erase(ticket) > 0)
                    done = {ticket, CallAnswer::Status::cancelled, {}, done.took};
            }
            done_(std::move(done));
        },
        execute.ticket.value(),
        tool_guess
    );
    return std::nullopt;
}

/// Remembers whose run it is. False: there is no room for it, and it was answered.
bool ToolRunner::make_room(const Execute& execute) {
    std::optional<Ticket> refused;
    {
        const std::lock_guard lock{mutex_};
        open_.emplace(execute.ticket, execute.caller);
        if (workers_.waiting() >= options_.queue_max) {
            const auto crowded_out = workers_.crowd_out(execute.caller);
            refused = crowded_out ? Ticket{*crowded_out} : execute.ticket;
            open_.erase(*refused);
            ++overloaded_;
        }
    }
    if (refused)
        done_({*refused, CallAnswer::Status::overloaded, "too many calls wait for this agent"});
    return refused != execute.ticket;
}

void ToolRunner::cancel(Ticket ticket) {
    const std::lock_guard lock{mutex_};
    const auto found = open_.find(ticket);
    if (found == open_.end()) return;
    if (workers_.take_back(found->second, ticket.value())) {
        open_.erase(found);
    } else {
        cancelled_.insert(ticket);
    }
}

std::uint64_t ToolRunner::overloaded() const {
    const std::lock_guard lock{mutex_};
    return overloaded_;
}

void ToolRunner::stop() {
    workers_.stop();
}

}  // namespace creto
