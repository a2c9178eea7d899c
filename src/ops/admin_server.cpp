#include "ops/admin_server.hpp"

#include <charconv>
#include <deque>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "ops/metrics.hpp"
#include "runtime/address.hpp"

namespace creto {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr std::size_t body_max = 2ULL * 1024 * 1024;
constexpr std::size_t header_max = 16ULL * 1024;
constexpr auto accept_retry = std::chrono::milliseconds{50};
constexpr std::uint64_t wait_ms_max = 30'000;

struct Target {
    std::string path;
    std::map<std::string, std::string> query;

    [[nodiscard]] std::uint64_t number(const std::string& name) const {
        const auto found = query.find(name);
        std::uint64_t value = 0;
        if (found != query.end()) {
            std::from_chars(
                found->second.data(), found->second.data() + found->second.size(), value
            );
        }
        return value;
    }
};

/// "%2F" as the byte it stands for; anything else as it is.
std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        const bool coded = byte && byte->size() == 1;
        out.push_back(coded ? static_cast<char>(byte->front()) : text[i]);
        if (coded) i += 2;
    }
    return out;
}

Target parse_target(std::string_view text) {
    Target out;
    const std::size_t mark = text.find('?');
    out.path = text.substr(0, mark);
    std::string_view rest = mark == std::string_view::npos ? "" : text.substr(mark + 1);
    while (!rest.empty()) {
        const std::size_t end = rest.find('&');
        const std::string_view pair = rest.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos) {
            out.query[std::string{pair.substr(0, equals)}] =
                percent_decoded(pair.substr(equals + 1));
        }
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
    return out;
}

bool is_local_origin(std::string_view origin) {
    for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
        if (origin.substr(0, host.size()) != host) continue;
        if (origin.size() == host.size() || origin[host.size()] == ':') return true;
    }
    return false;
}

/// Takes the same time whatever differs.
bool same_token(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
        difference |= static_cast<unsigned>(a[i] ^ b[i]);
    }
    return difference == 0;
}

http::status status_of(const JsonDoc& reply) {
    if (reply.value("ok", false)) return http::status::ok;
    const std::string code = reply["error"]["code"];
    if (code == "invalid") return http::status::bad_request;
    if (code == "not_found") return http::status::not_found;
    if (code == "denied") return http::status::forbidden;
    if (code == "limit") return http::status::too_many_requests;
    if (code == "timeout") return http::status::gateway_timeout;
    return http::status::service_unavailable;
}

}  // namespace

class AdminServer::Session : public std::enable_shared_from_this<AdminServer::Session> {
public:
    Session(AdminServer& server, tcp::socket socket)
        : server_{server},
          count_{server.connections_},
          stream_{std::move(socket)},
          wait_{stream_.get_executor()} {
        ++*count_;
    }
    ~Session() { --*count_; }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void read() {
        parser_.emplace();
        parser_->body_limit(body_max);
        parser_->header_limit(header_max);
        stream_.expires_after(server_.options_.timeout);
        http::async_read(
            stream_,
            buffer_,
            *parser_,
            [self = shared_from_this()](const beast::error_code& error, std::size_t /*size*/) {
                if (error == http::error::body_limit || error == http::error::header_limit) {
                    self->keep_alive_ = false;
                    self->answer(
                        http::status::payload_too_large,
                        error_json({ErrorCode::limit, "the request is too large"})
                    );
                } else if (!error) {
                    self->handle();
                }
            }
        );
    }

    /// A notice came while this session waited for one. True when it is answered.
    bool wake() {
        if (!waiting_) return true;
        const JsonDoc out = server_.events_.after(since_, prefix_);
        if (out["events"].empty()) {
            since_ = server_.events_.newest();  // All until now is of no interest here.
            return false;
        }
        end_wait(out);
        return true;
    }

private:
    void handle() {
        const auto& request = parser_->get();
        keep_alive_ = request.keep_alive();
        const Target target = parse_target({request.target().data(), request.target().size()});
        if (const auto origin = request.find(http::field::origin); origin != request.end()) {
            if (!is_local_origin({origin->value().data(), origin->value().size()})) {
                answer(http::status::forbidden, error_json({ErrorCode::denied, "foreign origin"}));
                return;
            }
        }
        if (target.path == "/healthz" || target.path == "/readyz") {
            health(target.path == "/readyz");
            return;
        }
        if (!authorised()) {
            answer(
                http::status::unauthorized,
                error_json({ErrorCode::denied, "send the admin token: Authorization: Bearer …"})
            );
            return;
        }
        if (target.path == "/metrics") {
            answer_text(http::status::ok, metrics_text(server_.host_));
        } else if (target.path == "/v1/events") {
            events(target);
        } else if (target.path == "/v1/stop" && request.method() == http::verb::post) {
            answer(http::status::ok, {{"ok", true}});
            server_.on_stop_();
        } else if (target.path.rfind("/v1/", 0) == 0) {
            command(target.path.substr(4));
        } else {
            answer(
                http::status::not_found,
                error_json({ErrorCode::not_found, "there is nothing at " + target.path})
            );
        }
    }

    [[nodiscard]] bool authorised() const {
        if (server_.options_.token.empty()) return true;
        const auto& request = parser_->get();
        const auto header = request.find(http::field::authorization);
        if (header == request.end()) return false;
        const std::string_view value{header->value().data(), header->value().size()};
        return same_token(value, "Bearer " + server_.options_.token);
    }

    void health(bool ready) {
        const StatusReply status = server_.host_.status();
        JsonDoc out{{"ok", true}};
        if (status.halted) {
            out = error_json({ErrorCode::unavailable, *status.halted});
        } else if (ready && status.reachable_seats < status.quorum.q) {
            out = error_json(
                {ErrorCode::unavailable,
                 "no quorum: " + std::to_string(status.reachable_seats) + " of " +
                     std::to_string(status.quorum.n) + " validators reachable, " +
                     std::to_string(status.quorum.q) + " needed"}
            );
        }
        answer(status_of(out), out);
    }

    void command(const std::string& name) {
        const auto& request = parser_->get();
        const auto type = request.find(http::field::content_type);
        if (name == "submit-batch" && type != request.end() &&
            type->value() == "application/octet-stream") {
            start(batch_from_bytes(as_bytes(request.body())));
            return;
        }
        JsonDoc body = JsonDoc::object();
        if (request.method() == http::verb::post && !request.body().empty()) {
            body = JsonDoc::parse(request.body(), nullptr, false);
            if (body.is_discarded()) {
                answer(
                    http::status::bad_request,
                    error_json({ErrorCode::invalid, "the body is not JSON"})
                );
                return;
            }
        }
        start(command_from_json(name, body));
    }

    void start(Result<CommandBody> parsed) {
        if (!parsed) {
            const JsonDoc error = error_json(parsed.error());
            answer(status_of(error), error);
            return;
        }
        // The command may take as long as its own deadline; the connection stays open for it.
        stream_.expires_never();
        const auto* call = std::get_if<CallTool>(&*parsed);
        if (call != nullptr && call->stream) return start_stream(std::move(*parsed));
        server_.host_.command(
            std::move(*parsed),
            [self = shared_from_this()](const ReplyBody& reply) {
                const JsonDoc out = to_json(reply);
                self->answer(status_of(out), out);
            }
        );
    }

    // --- a call whose pieces are written as they come ---

    void start_stream(CommandBody call) {
        lines_.clear();
        header_.reset();
        is_streamed_ = true;
        streamed_ = server_.host_.command(
            std::move(call),
            [self = shared_from_this()](const ShownPiece& shown) {
                const std::size_t cost = shown.piece ? cost_of(*shown.piece) : 0;
                self->write_line({line_of(to_json(shown)), shown.attempt, cost});
            },
            [self = shared_from_this()](const ReplyBody& reply) {
                self->is_streamed_ = false;
                const JsonDoc out = to_json(reply);
                if (!self->header_ && self->lines_.empty()) {
                    self->answer(status_of(out), out);  // It showed nothing.
                } else {
                    self->write_line({line_of(out), 0, 0});
                }
            }
        );
    }

    static std::string line_of(const JsonDoc& doc) {
        return doc.dump(-1, ' ', false, JsonDoc::error_handler_t::replace) + '\n';
    }

    struct Line {
        std::string text;
        std::uint32_t attempt = 0;
        std::size_t cost = 0;  ///< Of its piece.
    };

    void write_line(Line line) {
        if (is_gone_) return;
        lines_.push_back(std::move(line));
        if (lines_.size() == 1) write_front();
    }

    void write_front() {
        const auto then = [self = shared_from_this()](
                              const beast::error_code& error, std::size_t /*size*/
                          ) { self->wrote_front(error); };
        stream_.expires_after(server_.options_.timeout);
        if (header_) {
            chunk_.emplace(http::make_chunk(
                asio::const_buffer(lines_.front().text.data(), lines_.front().text.size())
            ));
            asio::async_write(stream_, *chunk_, then);
            return;
        }
        header_.emplace(http::status::ok, 11);
        header_->set(http::field::content_type, "application/x-ndjson");
        header_->set(http::field::cache_control, "no-store");
        header_->keep_alive(keep_alive_);
        header_->chunked(true);
        serializer_.emplace(*header_);
        http::async_write_header(
            stream_,
            *serializer_,
            [self = shared_from_this(), then](const beast::error_code& error, std::size_t size) {
                if (error) return then(error, size);
                self->write_front();
            }
        );
    }

    void wrote_front(const beast::error_code& error) {
        if (error) {
            is_gone_ = true;
            lines_.clear();
            if (is_streamed_) cancel_stream();
            return;
        }
        const Line done = std::move(lines_.front());
        lines_.pop_front();
        stream_.expires_never();
        if (is_streamed_ && done.cost > 0) {
            server_.host_.command(
                PiecesTaken{streamed_, done.attempt, done.cost}, [](const ReplyBody& /*done*/) {}
            );
        }
        if (!lines_.empty()) return write_front();
        if (is_streamed_) return;
        asio::async_write(
            stream_,
            http::make_chunk_last(),
            [self = shared_from_this()](const beast::error_code& unsent, std::size_t /*size*/) {
                if (!unsent) self->end_answer();
            }
        );
    }

    /// Nobody reads it any more.
    void cancel_stream() {
        server_.host_.command(Cancel{streamed_}, [](const ReplyBody& /*done*/) {});
    }

    void events(const Target& target) {
        prefix_.reset();
        const auto prefix = target.query.find("prefix");
        if (prefix == target.query.end()) {
            events_after(target);
            return;
        }
        prefix_ = prefix->second;
        server_.watch(*prefix_, [self = shared_from_this(), target](const ReplyBody& reply) {
            if (const auto* error = std::get_if<Error>(&reply)) {
                const JsonDoc out = error_json(*error);
                self->answer(status_of(out), out);
            } else {
                self->events_after(target);
            }
        });
    }

    void events_after(const Target& target) {
        const bool begins = prefix_ && !target.query.contains("since");
        since_ = begins ? server_.events_.newest() : target.number("since");
        const std::uint64_t wait_ms = begins ? 0 : std::min(target.number("wait_ms"), wait_ms_max);
        const JsonDoc out = server_.events_.after(since_, prefix_);
        if (!out["events"].empty() || out.contains("lost") || wait_ms == 0) {
            answer(http::status::ok, out);
            return;
        }
        waiting_ = true;
        server_.waiting_.push_back(weak_from_this());
        stream_.expires_never();
        wait_.expires_after(std::chrono::milliseconds{wait_ms});
        wait_.async_wait([self = shared_from_this()](const beast::error_code& error) {
            if (!error && self->waiting_)
                self->end_wait(self->server_.events_.after(self->since_, self->prefix_));
        });
    }

    void end_wait(const JsonDoc& out) {
        waiting_ = false;
        wait_.cancel();
        answer(http::status::ok, out);
    }

    void answer(http::status status, const JsonDoc& body) {
        send(
            status,
            body.dump(-1, ' ', false, JsonDoc::error_handler_t::replace) + "\n",
            "application/json"
        );
    }
    void answer_text(http::status status, std::string body) {
        send(status, std::move(body), "text/plain; version=0.0.4");
    }
    void send(http::status status, std::string body, const char* type) {
        response_.emplace(status, 11);
        response_->set(http::field::content_type, type);
        response_->set(http::field::cache_control, "no-store");
        response_->keep_alive(keep_alive_);
        response_->body() = std::move(body);
        response_->prepare_payload();
        stream_.expires_after(server_.options_.timeout);
        http::async_write(
            stream_,
            *response_,
            [self = shared_from_this()](const beast::error_code& error, std::size_t /*size*/) {
                if (!error) self->end_answer();
            }
        );
    }
    void end_answer() {
        if (keep_alive_) {
            read();
            return;
        }
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    AdminServer& server_;
    std::shared_ptr<std::size_t> count_;
    beast::tcp_stream stream_;
    asio::steady_timer wait_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    bool keep_alive_ = false;
    bool waiting_ = false;
    std::uint64_t since_ = 0;
    std::optional<std::string> prefix_;
    // Of a call that shows pieces
    using Header = http::response<http::empty_body>;
    using Chunk = decltype(http::make_chunk(asio::const_buffer{}));
    std::optional<Header> header_;
    std::optional<http::response_serializer<http::empty_body>> serializer_;
    std::optional<Chunk> chunk_;
    std::deque<Line> lines_;  ///< The first is being written; bounded by the call's credit.
    Ticket streamed_;
    bool is_streamed_ = false;  ///< Its reply has not come.
    bool is_gone_ = false;      ///< Whoever read it.
};

Result<std::unique_ptr<AdminServer>> AdminServer::open(
    NodeHost& host, AdminOptions options, std::function<void()> on_stop
) {
    std::unique_ptr<AdminServer> server{
        new AdminServer{host, std::move(options), std::move(on_stop)}};
    if (auto listening = server->listen(); !listening) {
        return tl::unexpected<Error>(listening.error());
    }
    host.on_notice([s = server.get()](const Notice& notice) { s->record(notice); });
    return server;
}

AdminServer::AdminServer(NodeHost& host, AdminOptions options, std::function<void()> on_stop)
    : host_{host},
      options_{std::move(options)},
      on_stop_{std::move(on_stop)},
      acceptor_{host.io()},
      retry_{host.io()},
      events_{options_.events_max} {}

AdminServer::~AdminServer() = default;

Result<void> AdminServer::listen() {
    auto endpoint = parse_address(options_.listen);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    if (!endpoint->address().is_loopback() && options_.token.empty()) {
        return fail(
            ErrorCode::denied,
            "the admin port listens beyond this machine (" + options_.listen +
                ") and has no token; set admin.token or listen on 127.0.0.1"
        );
    }
    beast::error_code error;
    acceptor_.open(endpoint->protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor_.bind(*endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) {
        return fail(
            ErrorCode::conflict,
            "admin port: cannot listen on " + options_.listen + ": " + error.message() +
                "; choose another with admin.listen in creto.toml"
        );
    }
    accept();
    return {};
}

std::string AdminServer::address() const {
    beast::error_code ignored;
    return address_text(acceptor_.local_endpoint(ignored));
}

void AdminServer::accept() {
    acceptor_.async_accept([this](const beast::error_code& error, tcp::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (error) {
            // Out of file descriptors or the like: try again when some have been freed.
            retry_.expires_after(accept_retry);
            retry_.async_wait([this](const beast::error_code& cancelled) {
                if (!cancelled) accept();
            });
            return;
        }
        if (*connections_ < options_.connections_max) {
            std::make_shared<Session>(*this, std::move(socket))->read();
        }
        accept();
    });
}

void AdminServer::record(const Notice& notice) {
    events_.add(notice);
    if (std::holds_alternative<KeyChanged>(notice)) drop_old_watches();
    const auto waiting = std::move(waiting_);
    waiting_.clear();
    for (const auto& weak : waiting) {
        const auto session = weak.lock();
        if (session && !session->wake()) waiting_.push_back(weak);
    }
}

void AdminServer::watch(const std::string& prefix, NodeHost::ReplyHandler then) {
    const auto [found, fresh] = watches_.try_emplace(prefix);
    found->second = std::chrono::steady_clock::now();
    if (!fresh) {
        then(ReplyBody{Done{}});
        return;
    }
    tell_watches([this, prefix, then = std::move(then)](const ReplyBody& reply) {
        if (std::holds_alternative<Error>(reply)) watches_.erase(prefix);
        then(reply);
    });
}

void AdminServer::drop_old_watches() {
    const auto oldest = std::chrono::steady_clock::now() - options_.watch_lease;
    const auto is_old = [&](const auto& watch) { return watch.second < oldest; };
    if (std::erase_if(watches_, is_old) > 0) tell_watches([](const ReplyBody& /*reply*/) {});
}

void AdminServer::tell_watches(NodeHost::ReplyHandler then) {
    WatchKeys keys;
    for (const auto& [prefix, asked] : watches_)
        keys.prefixes.push_back(prefix);
    host_.command(std::move(keys), std::move(then));
}

}  // namespace creto
