#include "scale/admin_link.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "runtime/address.hpp"

namespace creto {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

namespace {
constexpr std::size_t answer_bytes_max = 64ULL * 1024 * 1024;
}

/// One connection, with one request at a time.
struct AdminLink::Session : std::enable_shared_from_this<AdminLink::Session> {
    Session(AdminLink& l, boost::asio::io_context& io) : link{&l}, stream{io} {}

    void run(Request r) {
        request = std::move(r);
        is_reused = connected;
        stream.expires_after(request.timeout);
        if (connected) return write();
        stream.async_connect(
            *link->endpoint_,
            [self = shared_from_this()](const beast::error_code& error) {
                if (error) return self->fail_with(error);
                self->connected = true;
                boost::system::error_code ignored;
                self->stream.socket().set_option(tcp::no_delay{true}, ignored);
                self->write();
            }
        );
    }
    void write() {
        message = {request.is_post ? http::verb::post : http::verb::get, request.path, 11};
        message.set(http::field::host, "127.0.0.1");
        if (request.is_post) message.set(http::field::content_type, "application/json");
        message.body() = request.body;
        message.prepare_payload();
        http::async_write(
            stream,
            message,
            [self = shared_from_this()](const beast::error_code& error, std::size_t /*n*/) {
                if (error) return self->fail_with(error);
                self->read();
            }
        );
    }
    void read() {
        parser.emplace();
        parser->body_limit(answer_bytes_max);
        http::async_read(
            stream,
            buffer,
            *parser,
            [self = shared_from_this()](const beast::error_code& error, std::size_t /*n*/) {
                if (error) return self->fail_with(error);
                self->done();
            }
        );
    }
    void done() {
        if (link == nullptr) return;
        AdminAnswer answer{
            static_cast<int>(parser->get().result_int()), std::move(parser->get().body())};
        const bool stays = parser->get().keep_alive();
        const Handler handler = std::move(request.handler);
        stream.expires_never();
        const auto keep = shared_from_this();
        if (stays) {
            link->on_free(keep);
        } else {
            link->on_closed(keep);
        }
        handler(std::move(answer));
    }
    void fail_with(const beast::error_code& error) {
        if (link == nullptr) return;
        Request failed = std::move(request);
        AdminLink& owner = *link;
        owner.on_closed(shared_from_this());
        // A node closes connections that were idle for long: that says nothing about this request.
        if (is_reused && error != beast::error::timeout) return owner.start(std::move(failed));
        failed.handler(fail(
            error == beast::error::timeout ? ErrorCode::timeout : ErrorCode::unavailable,
            error.message()
        ));
    }

    AdminLink* link;
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    http::request<http::string_body> message;
    std::optional<http::response_parser<http::string_body>> parser;
    Request request;
    bool connected = false;
    bool is_reused = false;
};

AdminLink::AdminLink(boost::asio::io_context& io) : io_{io} {}

AdminLink::~AdminLink() {
    for (const auto& session : open_)
        session->link = nullptr;
}

void AdminLink::set_address(const std::string& address) {
    endpoint_.reset();
    if (const auto parsed = parse_address(address)) endpoint_ = *parsed;
    idle_.clear();
    const auto sessions = std::move(open_);
    open_.clear();
    for (const auto& session : sessions) {
        session->link = nullptr;
        session->stream.close();
        if (session->request.handler) refuse(std::move(session->request), "the node was stopped");
    }
    next();
}

void AdminLink::get(std::string path, std::chrono::milliseconds timeout, Handler handler) {
    start({false, std::move(path), {}, timeout, std::move(handler)});
}

void AdminLink::post(
    std::string path, std::string body, std::chrono::milliseconds timeout, Handler handler
) {
    start({true, std::move(path), std::move(body), timeout, std::move(handler)});
}

void AdminLink::start(Request request) {
    queue_.push_back(std::move(request));
    next();
}

void AdminLink::refuse(Request request, const std::string& why) {
    boost::asio::post(io_, [handler = std::move(request.handler), why] {
        handler(fail(ErrorCode::unavailable, why));
    });
}

void AdminLink::next() {
    while (!queue_.empty()) {
        if (!endpoint_) {
            refuse(std::move(queue_.front()), "the node is down");
            queue_.pop_front();
            continue;
        }
        std::shared_ptr<Session> session;
        if (!idle_.empty()) {
            session = idle_.back();
            idle_.pop_back();
        } else if (open_.size() < connections_max) {
            session = std::make_shared<Session>(*this, io_);
            open_.insert(session);
        } else {
            return;
        }
        Request request = std::move(queue_.front());
        queue_.pop_front();
        session->run(std::move(request));
    }
}

void AdminLink::on_free(const std::shared_ptr<Session>& session) {
    idle_.push_back(session);
    next();
}

void AdminLink::on_closed(const std::shared_ptr<Session>& session) {
    session->link = nullptr;
    open_.erase(session);
    next();
}

}  // namespace creto
