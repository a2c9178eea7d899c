#include "scale/client.hpp"

#include <map>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "runtime/address.hpp"

namespace creto {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {
constexpr std::size_t body_max = 64ULL * 1024 * 1024;

ErrorCode code_of(const std::string& word) {
    static const std::map<std::string, ErrorCode> codes{
        {"invalid", ErrorCode::invalid},
        {"not_found", ErrorCode::not_found},
        {"timeout", ErrorCode::timeout},
        {"limit", ErrorCode::limit},
        {"denied", ErrorCode::denied},
        {"corrupt", ErrorCode::corrupt},
        {"io", ErrorCode::io},
        {"conflict", ErrorCode::conflict},
        {"cancelled", ErrorCode::cancelled},
    };
    const auto found = codes.find(word);
    return found == codes.end() ? ErrorCode::unavailable : found->second;
}
}  // namespace

Result<AdminAnswer> Client::get(const std::string& path, std::chrono::milliseconds timeout) const {
    return send(false, path, {}, timeout);
}

Result<AdminAnswer> Client::post(
    const std::string& path, const nlohmann::ordered_json& body, std::chrono::milliseconds timeout
) const {
    return send(true, path, body.dump(), timeout);
}

Result<nlohmann::ordered_json> Client::command(
    const std::string& name, const nlohmann::ordered_json& body, std::chrono::milliseconds timeout
) const {
    auto answer = post("/v1/" + name, body, timeout);
    if (!answer) return tl::unexpected<Error>(answer.error());
    return reply_of(answer->json());
}

Result<nlohmann::ordered_json> Client::reply_of(nlohmann::ordered_json doc) const {
    if (doc.is_discarded() || !doc.is_object()) {
        return fail(ErrorCode::unavailable, address_ + " did not answer like a creto node");
    }
    if (!doc.value("ok", false)) {
        const auto& error = doc["error"];
        return fail(
            code_of(error.value("code", "")), error.value("message", std::string{"unknown error"})
        );
    }
    return doc;
}

namespace {

http::request<http::string_body> request_of(
    http::verb verb, const std::string& path, const std::string& body, const std::string& token
) {
    http::request<http::string_body> request{verb, path, 11};
    request.set(http::field::host, "127.0.0.1");
    if (verb == http::verb::post) request.set(http::field::content_type, "application/json");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    request.body() = body;
    request.prepare_payload();
    return request;
}

/// One exchange whose answer is read line by line.
class LineReader {
public:
    using OnLine = std::function<void(const std::string&)>;
    LineReader(http::request<http::string_body> request, OnLine on_line)
        : request_{std::move(request)}, on_line_{std::move(on_line)} {
        parser_.body_limit(boost::none);  // What was read is taken out at once.
    }

    /// How it ended; `connected` says whether somebody was there at all.
    beast::error_code run(
        const boost::asio::ip::tcp::endpoint& endpoint, std::chrono::milliseconds timeout
    ) {
        stream_.expires_after(timeout);
        stream_.async_connect(endpoint, [this](const beast::error_code& error) {
            if (ended(error)) return;
            connected = true;
            http::async_write(stream_, request_, [this](const beast::error_code& e, std::size_t) {
                if (!ended(e)) read();
            });
        });
        io_.run();
        return result_;
    }

    bool connected = false;

private:
    bool ended(const beast::error_code& error) {
        result_ = error;
        return bool{error};
    }
    void read() {
        http::async_read_some(
            stream_,
            buffer_,
            parser_,
            [this](const beast::error_code& error, std::size_t /*n*/) {
                if (ended(error)) return;
                std::string& body = parser_.get().body();
                for (auto end = body.find('\n'); end != std::string::npos; end = body.find('\n')) {
                    const std::string line = body.substr(0, end);
                    body.erase(0, end + 1);
                    on_line_(line);
                }
                if (body.size() > body_max) {
                    result_ = http::make_error_code(http::error::body_limit);
                } else if (!parser_.is_done()) {
                    read();
                }
            }
        );
    }

    http::request<http::string_body> request_;
    OnLine on_line_;
    boost::asio::io_context io_;
    beast::tcp_stream stream_{io_};
    beast::flat_buffer buffer_;
    http::response_parser<http::string_body> parser_;
    beast::error_code result_;
};

}  // namespace

Result<nlohmann::ordered_json> Client::stream(
    const std::string& name,
    const nlohmann::ordered_json& body,
    const std::function<void(const nlohmann::ordered_json&)>& on_event,
    std::chrono::milliseconds timeout
) const {
    auto endpoint = parse_address(address_);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    nlohmann::ordered_json reply;
    LineReader reader{
        request_of(http::verb::post, "/v1/" + name, body.dump(), token_),
        [&](const std::string& line) {
            auto doc = nlohmann::ordered_json::parse(line, nullptr, false);
            if (doc.is_object() && doc.contains("event")) {
                on_event(doc);
            } else {
                reply = std::move(doc);
            }
        }};
    if (const auto error = reader.run(*endpoint, timeout))
        return tl::unexpected<Error>(error_of(error, reader.connected));
    return reply_of(std::move(reply));
}

Error Client::error_of(const boost::system::error_code& error, bool connected) const {
    if (error == beast::error::timeout)
        return {ErrorCode::timeout, address_ + " did not answer in time"};
    return {
        ErrorCode::unavailable,
        connected ? address_ + " closed the connection: " + error.message()
                  : "no node answers on " + address_ + ": " + error.message() +
                        "; is it running? (`creto run DIR`)"};
}

Result<AdminAnswer> Client::send(
    bool is_post,
    const std::string& path,
    const std::string& body,
    std::chrono::milliseconds timeout
) const {
    auto endpoint = parse_address(address_);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    boost::asio::io_context io;
    beast::tcp_stream stream{io};
    beast::flat_buffer buffer;
    const auto request =
        request_of(is_post ? http::verb::post : http::verb::get, path, body, token_);
    http::response_parser<http::string_body> parser;
    parser.body_limit(body_max);
    beast::error_code result;
    bool connected = false;
    stream.expires_after(timeout);
    stream.async_connect(*endpoint, [&](const beast::error_code& failed) {
        result = failed;
        if (failed) return;
        connected = true;
        http::async_write(stream, request, [&](const beast::error_code& unsent, std::size_t /*n*/) {
            result = unsent;
            if (unsent) return;
            http::async_read(
                stream,
                buffer,
                parser,
                [&](const beast::error_code& unread, std::size_t /*n*/) { result = unread; }
            );
        });
    });
    io.run();
    if (result) return tl::unexpected<Error>(error_of(result, connected));
    return AdminAnswer{static_cast<int>(parser.get().result_int()), parser.get().body()};
}

}  // namespace creto
