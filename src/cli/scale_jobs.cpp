#include "cli/scale_jobs.hpp"

#include <poll.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/child.hpp"

namespace creto {
namespace {

constexpr int look_ms = 200;

JsonDoc to_json(const BenchProgress& at) {
    return {
        {"scenario", at.scenario},
        {"at_ms", at.at.ms()},
        {"of_ms", at.of.ms()},
        {"final", at.final},
        {"height", at.height},
        {"is_replaying", at.is_replaying}};
}

BenchProgress progress_of(const JsonDoc& doc) {
    return {
        doc.at("scenario"),
        Duration::from_ms(doc.at("at_ms")),
        Duration::from_ms(doc.at("of_ms")),
        doc.at("final"),
        doc.at("height"),
        doc.at("is_replaying")};
}

class Jobs {
public:
    Jobs(const std::vector<ScaleJob>& jobs, std::size_t at_a_time, const ScaleJobHooks& hooks)
        : jobs_{jobs}, at_a_time_{at_a_time}, hooks_{hooks} {}

    Result<void> run() {
        while (true) {
            while (goes_on() && next_ < jobs_.size() && running_.size() < at_a_time_)
                launch(jobs_[next_++]);
            if (running_.empty()) break;
            if (!goes_on()) interrupt();
            look();
        }
        if (refused_) return tl::unexpected<Error>(*refused_);
        return {};
    }

private:
    struct Running {
        const ScaleJob* job = nullptr;
        std::unique_ptr<Child> child;
        bool is_told = false;  ///< Its end.
        bool is_asked_to_end = false;
    };

    [[nodiscard]] bool goes_on() const { return !ends_ && !refused_ && !hooks_.is_stopped(); }

    void launch(const ScaleJob& job) {
        hooks_.begin(job);
        running_.push_back({&job, std::make_unique<Child>([&](int fd) { work(job, fd); })});
    }

    /// In the child.
    void work(const ScaleJob& job, int fd) const {
        BenchOptions bench = job.bench;
        bench.tell = [&](const BenchProgress& at) {
            return tell_line(fd, in_one_line({{"progress", to_json(at)}})) && !hooks_.is_stopped();
        };
        const auto result = run_scenario(*job.scenario, bench);
        if (!result) {
            (void)tell_line(fd, in_one_line({{"refused", result.error().message}}));
            return;
        }
        const JsonDoc doc = creto::to_json(*result);
        const std::string lines = hooks_.lines_of(*result, doc);
        (void)tell_line(fd, in_one_line({{"doc", doc}, {"lines", lines}}));
    }

    void interrupt() {
        for (Running& one : running_)
            if (!std::exchange(one.is_asked_to_end, true)) one.child->interrupt();
    }

    void look() {
        std::vector<pollfd> waits;
        for (const Running& one : running_)
            waits.push_back({one.child->fd(), POLLIN, 0});
        (void)::poll(waits.data(), waits.size(), look_ms);
        for (std::size_t i = 0; i < running_.size(); ++i) {
            if ((waits[i].revents & (POLLIN | POLLHUP)) == 0) continue;
            Running& one = running_[i];
            const bool is_open = one.child->read_some();
            while (const auto line = one.child->line())
                take(one, *line);
            if (is_open) continue;
            const std::string how = one.child->wait();
            if (!one.is_told) lose(one, how.empty() ? "no result" : how);
            one.child.reset();
        }
        std::erase_if(running_, [](const Running& one) { return one.child == nullptr; });
    }

    void take(Running& one, const std::string& line) {
        const JsonDoc said = JsonDoc::parse(line, nullptr, false);
        if (said.contains("progress")) {
            hooks_.tell(*one.job, progress_of(said["progress"]));
        } else if (said.contains("refused")) {
            one.is_told = true;
            refused_ = Error{ErrorCode::invalid, said["refused"].get<std::string>()};
        } else if (said.contains("doc")) {
            one.is_told = true;
            end(one, {said["doc"], said["lines"].get<std::string>()});
        }
    }

    void lose(const Running& one, const std::string& how) {
        ScenarioResult result = scenario_not_run(
            *one.job->scenario,
            one.job->bench,
            "its process ended with " + how +
                (how == "signal 9" ? ", as when the machine has no memory left" : "")
        );
        const JsonDoc doc = creto::to_json(result);
        std::string lines = hooks_.lines_of(result, doc);
        end(one, {doc, std::move(lines)});
    }

    void end(const Running& one, ScaleJobEnd ended) {
        if (!hooks_.end(*one.job, std::move(ended))) ends_ = true;
    }

    const std::vector<ScaleJob>& jobs_;
    std::size_t at_a_time_;
    const ScaleJobHooks& hooks_;
    std::size_t next_ = 0;
    std::vector<Running> running_;
    std::optional<Error> refused_;
    bool ends_ = false;
};

}  // namespace

Result<void> run_jobs(
    const std::vector<ScaleJob>& jobs, std::size_t at_a_time, const ScaleJobHooks& hooks
) {
    return Jobs{jobs, at_a_time, hooks}.run();
}

}  // namespace creto
