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
    auto doc = answer->json();
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
    http::request<http::string_body> request{
        is_post ? http::verb::post : http::verb::get, path, 11};
    request.set(http::field::host, "127.0.0.1");
    if (is_post) request.set(http::field::content_type, "application/json");
    if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
    request.body() = body;
    request.prepare_payload();
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
    if (result == beast::error::timeout) {
        return fail(ErrorCode::timeout, address_ + " did not answer in time");
    }
    if (result) {
        return fail(
            ErrorCode::unavailable,
            connected ? address_ + " closed the connection: " + result.message()
                      : "no node answers on " + address_ + ": " + result.message() +
                            "; is it running? (`creto run DIR`)"
        );
    }
    return AdminAnswer{static_cast<int>(parser.get().result_int()), parser.get().body()};
}

}  // namespace creto
