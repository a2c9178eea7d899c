// AdminLink: many requests at a time to the admin port of one node, over connections that it keeps.
//
// Why      An open-loop client does not wait for one answer before it asks the next, and a new connection
//          for each write would measure connections.
// Holds    Belongs to the thread of its io_context. Each handler is called once, with an answer or an
//          error, and never within the call that asked. At most connections_max connections are open;
//          what finds none free waits for one.
// Errors   unavailable: nobody listens there, or the connection ended; timeout: no answer in time.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "scale/client.hpp"

namespace creto {

class AdminLink {
public:
    using Handler = std::function<void(Result<AdminAnswer>)>;
    /// A node admits 256; others want to look at it, too.
    static constexpr std::size_t connections_max = 128;

    explicit AdminLink(boost::asio::io_context& io);
    ~AdminLink();
    AdminLink(const AdminLink&) = delete;
    AdminLink& operator=(const AdminLink&) = delete;

    /// Where it listens from now on; empty: nowhere. Connections to the address before end.
    void set_address(const std::string& address);
    void get(std::string path, std::chrono::milliseconds timeout, Handler handler);
    void post(
        std::string path, std::string body, std::chrono::milliseconds timeout, Handler handler
    );

private:
    struct Request {
        bool is_post = false;
        std::string path;
        std::string body;
        std::chrono::milliseconds timeout{};
        Handler handler;
    };
    struct Session;

    void start(Request request);
    void refuse(Request request, const std::string& why);
    void on_free(const std::shared_ptr<Session>& session);
    void on_closed(const std::shared_ptr<Session>& session);
    void next();

    boost::asio::io_context& io_;
    std::optional<boost::asio::ip::tcp::endpoint> endpoint_;
    std::set<std::shared_ptr<Session>> open_;
    std::vector<std::shared_ptr<Session>> idle_;
    std::deque<Request> queue_;
};

}  // namespace creto
