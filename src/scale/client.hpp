// Client: speaks to the admin port of a running node.
//
// Errors   unavailable: nobody listens there; timeout: no answer.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include <boost/system/error_code.hpp>

#include "base/result.hpp"

namespace creto {

struct AdminAnswer {
    int status = 0;
    std::string body;
    /// The body as JSON; discarded when it is none.
    [[nodiscard]] nlohmann::ordered_json json() const {
        return nlohmann::ordered_json::parse(body, nullptr, false);
    }
};

class Client {
public:
    /// `address`: "/ip4/127.0.0.1/tcp/9001"
    explicit Client(std::string address, std::string token = {})
        : address_{std::move(address)}, token_{std::move(token)} {}

    [[nodiscard]] Result<AdminAnswer> get(
        const std::string& path, std::chrono::milliseconds timeout = std::chrono::seconds{10}
    ) const;
    [[nodiscard]] Result<AdminAnswer> post(
        const std::string& path,
        const nlohmann::ordered_json& body,
        std::chrono::milliseconds timeout = std::chrono::seconds{60}
    ) const;
    /// POST /v1/NAME; the reply's document, or its error.
    [[nodiscard]] Result<nlohmann::ordered_json> command(
        const std::string& name,
        const nlohmann::ordered_json& body,
        std::chrono::milliseconds timeout = std::chrono::seconds{60}
    ) const;

    /// The same, where the node may tell what happens meanwhile: `on_event` sees each document that has
    /// an "event" as it comes, within this call.
    [[nodiscard]] Result<nlohmann::ordered_json> stream(
        const std::string& name,
        const nlohmann::ordered_json& body,
        const std::function<void(const nlohmann::ordered_json&)>& on_event,
        std::chrono::milliseconds timeout = std::chrono::seconds{60}
    ) const;

private:
    [[nodiscard]] Result<nlohmann::ordered_json> reply_of(nlohmann::ordered_json doc) const;
    [[nodiscard]] Error error_of(const boost::system::error_code& error, bool connected) const;
    [[nodiscard]] Result<AdminAnswer> send(
        bool is_post,
        const std::string& path,
        const std::string& body,
        std::chrono::milliseconds timeout
    ) const;
    std::string address_;
    std::string token_;
};

}  // namespace creto
