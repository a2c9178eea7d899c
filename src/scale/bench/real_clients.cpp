#include "scale/bench/real_clients.hpp"

#include <algorithm>
#include <future>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace creto {
namespace {

enum class Draw : std::uint64_t { instant = 1, node = 2, elsewhere = 3 };
constexpr std::uint64_t load_stream = 0x91;
constexpr std::size_t points_max = 3'000;
/// A node answers its client by the operation's own timeout; this is for one that does not.
constexpr auto answer_patience = RealClients::operation_timeout + std::chrono::seconds{2};

}  // namespace

RealClients::RealClients(Plan plan)
    : plan_{std::move(plan)}, draws_{plan_.seed, load_stream}, timer_{io_} {
    for (std::size_t i = 0; i < plan_.takes.size(); ++i) {
        links_.push_back(std::make_unique<AdminLink>(io_));
        looks_.push_back(std::make_unique<AdminLink>(io_));
    }
    is_up_.resize(plan_.takes.size());
    thread_ = std::thread{[this] {
        const auto keep = boost::asio::make_work_guard(io_);
        io_.run();
    }};
}

RealClients::~RealClients() {
    io_.stop();
    thread_.join();
}

void RealClients::on_thread(const std::function<void()>& work) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

void RealClients::set_address(std::uint32_t node, const std::string& address) {
    on_thread([&] {
        is_up_[node] = !address.empty();
        links_[node]->set_address(address);
        looks_[node]->set_address(address);
    });
}

// --- what is sent when ---

void RealClients::begin(const Workload& workload, Duration lasts) {
    on_thread([&] {
        workload_ = workload;
        workload_->begin(plan_.seed, lasts);
        next_slot_ = clock_.now();
        until_ = next_slot_ + lasts;
        go_on();
    });
}

void RealClients::end() {
    on_thread([&] {
        workload_.reset();
        due_.clear();
    });
}

/// Draws the instants of the next slot's operations.
void RealClients::take_slot() {
    const std::uint64_t count = workload_->next_slot();
    const auto slot = static_cast<std::uint64_t>(Workload::slot.ns());
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t number = next_number_++;
        const std::uint64_t wait = scale_to(draws_(number, std::uint64_t(Draw::instant)), slot);
        const Instant at = next_slot_ + Duration::from_ns(static_cast<std::int64_t>(wait));
        due_.emplace(at, Operation{at, number, false});
    }
    next_slot_ = next_slot_ + Workload::slot;
    if (next_slot_ >= until_) workload_.reset();
}

void RealClients::go_on() {
    const Instant now = clock_.now();
    while (workload_ && next_slot_ <= now)
        take_slot();
    while (!due_.empty() && due_.begin()->first <= now) {
        const Operation operation = due_.begin()->second;
        due_.erase(due_.begin());
        on_submitted(operation.intended);
        offer(operation);
    }
    arm();
}

void RealClients::arm() {
    Instant next = Instant::max();
    if (workload_) next = next_slot_;
    if (!due_.empty()) next = std::min(next, due_.begin()->first);
    if (next == Instant::max()) return;
    timer_.expires_at(clock_.at(next));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) go_on();
    });
}

void RealClients::offer_at_once(std::uint32_t count) {
    on_thread([&] {
        const std::vector<std::uint32_t> nodes = live();
        for (std::uint32_t i = 0; i < count; ++i) {
            const Operation operation{clock_.now(), next_number_++, false};
            on_submitted(operation.intended);
            if (nodes.empty()) {
                on_refused();
            } else {
                submit(nodes[i % nodes.size()], operation);
            }
        }
    });
}

std::vector<std::uint32_t> RealClients::live() const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t node = 0; node < is_up_.size(); ++node)
        if (is_up_[node] && plan_.takes[node]) out.push_back(node);
    return out;
}

void RealClients::offer(const Operation& operation) {
    const std::vector<std::uint32_t> nodes = live();
    if (nodes.empty()) return on_refused();
    const Draw use = operation.is_retry ? Draw::elsewhere : Draw::node;
    submit(nodes[scale_to(draws_(operation.number, std::uint64_t(use)), nodes.size())], operation);
}

void RealClients::submit(std::uint32_t node, const Operation& operation) {
    std::string payload = std::to_string(operation.number);
    payload.resize(plan_.payload_bytes, ' ');
    ++counts_.pending;
    links_[node]->post(
        "/v1/submit",
        R"({"payload":")" + payload + R"(","timeout_ms":)" +
            std::to_string(std::chrono::milliseconds{operation_timeout}.count()) + "}",
        answer_patience,
        [this, node, operation](const Result<AdminAnswer>& answer) {
            on_answer(node, operation, answer);
        }
    );
}

// --- what came back ---

void RealClients::on_answer(
    std::uint32_t node, const Operation& operation, const Result<AdminAnswer>& answer
) {
    --counts_.pending;
    const Doc doc = answer ? answer->json() : Doc{};
    if (doc.is_object() && doc.value("ok", false) && doc.contains("height")) {
        on_final(node, operation);
    } else if (!operation.is_retry) {
        offer({operation.intended, operation.number, true});
    } else {
        on_refused();
    }
}

RunCell& RealClients::cell_at(Instant at) {
    const auto place = static_cast<std::size_t>((at - Instant{}).ns() / plan_.cell.ns());
    if (place >= cells_.size()) cells_.resize(place + 1);
    return cells_[place];
}

void RealClients::on_submitted(Instant intended) {
    ++counts_.submitted;
    ++cell_at(intended).submitted;
    if (intended >= measured_from_) ++measured_.submitted;
}

void RealClients::on_refused() {
    ++measured_.refused;
    ++cell_at(clock_.now()).refused;
}

void RealClients::on_final(std::uint32_t node, const Operation& operation) {
    const Instant now = clock_.now();
    const Duration latency = now - operation.intended;
    ++counts_.final;
    RunCell& cell = cell_at(now);
    ++cell.final;
    cell.latency_max_us = std::max(cell.latency_max_us, static_cast<std::uint64_t>(latency.us()));
    const auto second = static_cast<std::size_t>((operation.intended - Instant{}).ms() / 1'000);
    if (final_by_second_.size() <= second) final_by_second_.resize(second + 1);
    ++final_by_second_[second];
    if (operation.intended < measured_from_) return;
    ++measured_.final;
    measured_.latency_us.add(latency.us());
    // Every so many, ever fewer: an even sample whatever the length.
    if (point_number_++ % point_stride_ != 0) return;
    std::vector<LatencyPoint>& points = measured_.points;
    points.push_back({(now - Instant{}).us(), latency.us(), node});
    if (points.size() < points_max) return;
    for (std::size_t i = 0; i < points.size() / 2; ++i)
        points[i] = points[2 * i];
    points.resize(points.size() / 2);
    point_stride_ *= 2;
}

void RealClients::measure_from(Instant from) {
    on_thread([&] { measured_from_ = from; });
}

RealClients::Counts RealClients::counts() {
    Counts out;
    on_thread([&] { out = counts_; });
    return out;
}

void RealClients::add_to(RunRecord& record) {
    on_thread([&] {
        record.submitted = measured_.submitted;
        record.final = measured_.final;
        record.refused = measured_.refused;
        record.latency_us = measured_.latency_us;
        record.points = measured_.points;
        if (record.cells.size() < cells_.size()) record.cells.resize(cells_.size());
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            record.cells[i].submitted = cells_[i].submitted;
            record.cells[i].final = cells_[i].final;
            record.cells[i].refused = cells_[i].refused;
            record.cells[i].latency_max_us = cells_[i].latency_max_us;
        }
    });
}

std::vector<std::uint32_t> RealClients::final_by_second() {
    std::vector<std::uint32_t> out;
    on_thread([&] { out = final_by_second_; });
    return out;
}

// --- asking nodes ---

std::map<std::uint32_t, std::string> RealClients::bodies(
    const std::vector<std::uint32_t>& nodes,
    const std::function<void(AdminLink&, AdminLink::Handler)>& request
) {
    std::map<std::uint32_t, std::string> out;
    if (nodes.empty()) return out;
    std::promise<void> done;
    std::size_t missing = nodes.size();
    boost::asio::post(io_, [&] {
        for (const std::uint32_t node : nodes)
            request(*looks_[node], [&, node](Result<AdminAnswer> answer) {
                if (answer) out.emplace(node, std::move(answer->body));
                if (--missing == 0) done.set_value();
            });
    });
    done.get_future().wait();
    return out;
}

std::map<std::uint32_t, RealClients::Doc> RealClients::ask(
    const std::vector<std::uint32_t>& nodes,
    const std::string& command,
    const Doc& body,
    std::chrono::milliseconds timeout
) {
    const std::string text = body.dump();
    const auto said = bodies(nodes, [&](AdminLink& link, AdminLink::Handler handler) {
        link.post("/v1/" + command, text, timeout, std::move(handler));
    });
    std::map<std::uint32_t, Doc> out;
    for (const auto& [node, answer] : said) {
        Doc doc = Doc::parse(answer, nullptr, false);
        if (doc.is_object()) out.emplace(node, std::move(doc));
    }
    return out;
}

std::map<std::uint32_t, std::string> RealClients::pages(
    const std::vector<std::uint32_t>& nodes, std::chrono::milliseconds timeout
) {
    return bodies(nodes, [&](AdminLink& link, AdminLink::Handler handler) {
        link.get("/metrics", timeout, std::move(handler));
    });
}

}  // namespace creto
