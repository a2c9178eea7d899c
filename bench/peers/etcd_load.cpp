// etcd_load: puts against etcd's members with a fixed number outstanding; the figures as JSON.
//
// Why      The same question as "one final write" and "final operations", asked of what a user would
//          take instead, on the same machine in the same minutes.
// Use      etcd_load NAME OUTSTANDING TOTAL VALUE_BYTES ADDRESS...; spreads puts over the addresses.
// Holds    A put that fails ends the program.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <vector>

#include "kv.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Call {
    grpc::ClientContext context;
    etcdserverpb::PutResponse response;
    grpc::Status status;
    Clock::time_point begin = Clock::now();
    std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::PutResponse>> reader;
};

double percentile(std::vector<double>& values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        std::fprintf(stderr, "usage: etcd_load NAME OUTSTANDING TOTAL VALUE_BYTES ADDRESS...\n");
        return 2;
    }
    const std::string name = argv[1];
    const std::size_t window = std::stoul(argv[2]);
    const std::size_t total = std::stoul(argv[3]);
    const std::string value(std::stoul(argv[4]), 'v');
    std::vector<std::unique_ptr<etcdserverpb::KV::Stub>> members;
    for (int i = 5; i < argc; ++i) {
        members.push_back(etcdserverpb::KV::NewStub(
            grpc::CreateChannel(argv[i], grpc::InsecureChannelCredentials())
        ));
    }
    grpc::CompletionQueue queue;
    std::size_t started = 0;
    const auto start = [&] {
        etcdserverpb::PutRequest request;
        request.set_key("k" + std::to_string(started % 1'000));
        request.set_value(value);
        auto* call = new Call;
        call->reader = members[started % members.size()]->AsyncPut(&call->context, request, &queue);
        call->reader->Finish(&call->response, &call->status, call);
        ++started;
    };
    const auto begin = Clock::now();
    std::vector<double> us;
    while (started < std::min(window, total))
        start();
    while (us.size() < total) {
        void* tag = nullptr;
        bool good = false;
        if (!queue.Next(&tag, &good)) return 1;
        const std::unique_ptr<Call> call{static_cast<Call*>(tag)};
        if (!call->status.ok()) {
            std::fprintf(stderr, "etcd_load: %s\n", call->status.error_message().c_str());
            return 1;
        }
        us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - call->begin).count());
        if (started < total) start();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf(
        "{\"%s_rate\": %.1f, \"%s_p50\": %.1f, \"%s_p95\": %.1f}\n",
        name.c_str(),
        static_cast<double>(total) / seconds,
        name.c_str(),
        percentile(us, 0.5),
        name.c_str(),
        percentile(us, 0.95)
    );
    return 0;
}
