#include "model/checks.hpp"

namespace creto {

bool holds(const SignatureScheme& scheme, const CheckItem& item) {
    if (item.joined == nullptr) return scheme.verify(item.key, item.bytes, item.signature);
    const JoinedSigners& joined = *item.joined;
    return scheme.verify_joined(*joined.list, joined.signers, item.bytes, item.signature);
}

Result<CheckPass> CheckPass::verify(
    const SignatureScheme& scheme, const std::vector<CheckItem>& items
) {
    for (const CheckItem& item : items) {
        if (!holds(scheme, item)) {
            return fail(ErrorCode::invalid, "a signature does not fit its content and key");
        }
    }
    return CheckPass{};
}

}  // namespace creto
