#include "runtime/tool_runner.hpp"

#include "runtime/wall_clock.hpp"

namespace creto {

namespace {

/// Of a run's time, before anything is known; what it took is charged afterwards.
constexpr Duration tool_guess = Duration::from_ms(1);

}  // namespace

/// What one run shows: filled by its worker, emptied by whoever takes it.
class ToolRunner::Shown final : public PieceSink,
                                public std::enable_shared_from_this<ToolRunner::Shown> {
public:
    Shown(Ticket ticket, bool wanted, const OnPieces& on_pieces)
        : ticket_{ticket}, wanted_{wanted && on_pieces}, on_pieces_{on_pieces} {}

    [[nodiscard]] bool show(Piece piece) override {
        {
            const std::lock_guard lock{mutex_};
            if (cancelled_) return false;
            if (!wanted_) return true;
            queue_.push(std::move(piece));
            if (offered_) return true;
            offered_ = true;
        }
        on_pieces_([self = shared_from_this()] { return self->take(); });
        return true;
    }
    void cancel() {
        const std::lock_guard lock{mutex_};
        cancelled_ = true;
    }

private:
    Emitted take() {
        const std::lock_guard lock{mutex_};
        offered_ = false;
        Emitted out{.ticket = ticket_, .pieces = {}, .lost = queue_.lost() - told_lost_};
        told_lost_ = queue_.lost();
        while (!queue_.empty())
            out.pieces.push_back(queue_.pop().piece);
        return out;
    }

    Ticket ticket_;
    bool wanted_;
    const OnPieces& on_pieces_;
    std::mutex mutex_;
    PieceQueue queue_;
    std::uint64_t told_lost_ = 0;
    bool offered_ = false;
    bool cancelled_ = false;
};

ToolRunner::ToolRunner(Options options, Done done, OnPieces on_pieces)
    : options_{options},
      done_{std::move(done)},
      on_pieces_{std::move(on_pieces)},
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
    const std::string& arguments,
    PieceSink* pieces
) {
    using Clock = std::chrono::steady_clock;
    const ToolContext context{.unix_ms = unix_ms_now(), .pieces = pieces};
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
        return run(
            *tools, execute.ticket, execute.tool, execute.contract, execute.arguments, nullptr
        );
    const auto shown = std::make_shared<Shown>(execute.ticket, execute.shows, on_pieces_);
    if (!make_room(execute, shown)) return std::nullopt;
    workers_.post(
        execute.caller,
        [this,
         tools,
         shown,
         ticket = execute.ticket,
         tool = execute.tool,
         contract = execute.contract,
         arguments = execute.arguments] {
            Executed done = run(*tools, ticket, tool, contract, arguments, shown.get());
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
bool ToolRunner::make_room(const Execute& execute, std::shared_ptr<Shown> shown) {
    std::optional<Ticket> refused;
    {
        const std::lock_guard lock{mutex_};
        open_.emplace(execute.ticket, Open{execute.caller, std::move(shown)});
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
    if (workers_.take_back(found->second.caller, ticket.value())) {
        open_.erase(found);
    } else {
        found->second.shown->cancel();
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
