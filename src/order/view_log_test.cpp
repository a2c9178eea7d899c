#include "order/view_log.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <sstream>

#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Seats;
using Verdict = Ancestry::Verdict;

/// Views drawn in text: "1:N 2:- 3:NX 5:F": notarized, nothing, both, final. The block of view v is
/// called "v".
class Drawn {
public:
    explicit Drawn(const std::string& views) {
        std::istringstream in{views};
        for (std::string word; in >> word;) {
            const auto colon = word.find(':');
            const std::uint64_t view = std::stoull(word.substr(0, colon));
            for (const char mark : word.substr(colon + 1))
                put(view, mark);
        }
    }
    ViewLog::Put put(std::uint64_t view, char mark) {
        const BlockId block = block_id(std::to_string(view));
        VoteContent content = Seats::nullify(view);
        if (mark == 'N') content = Seats::content(VoteKind::notarize, view, view - 1, block);
        if (mark == 'F') content = Seats::content(VoteKind::finalize, view, view - 1, block);
        if (mark == '-') return ViewLog::Put::known;
        return log.put(seats.certificate(content));
    }
    /// "p2" or "?4": the parent of a block in `view`, or the highest view that decides it.
    [[nodiscard]] std::string parent(std::uint64_t view) const {
        const auto found = log.parent_for(View{view});
        if (const auto* head = std::get_if<Head>(&found)) {
            EXPECT_EQ(
                head->block,
                head->view == View{} ? block_id("g") : block_id(std::to_string(head->view.value()))
            );
            return "p" + std::to_string(head->view.value());
        }
        return "?" + std::to_string(std::get<1>(found).front().view.value());
    }
    [[nodiscard]] Ancestry ancestry(std::uint64_t view, std::uint64_t parent) const {
        const std::string name = parent == 0 ? "g" : std::to_string(parent);
        return log.check_parent(View{view}, View{parent}, block_id(name));
    }

    Seats seats{4};
    ViewLog log{block_id("g")};
};

// [ORD-P1.1]
TEST(ViewLog, TheParentIsTheHighestCertifiedViewWithAllBetweenNullified) {
    EXPECT_EQ(Drawn("").parent(1), "p0");
    EXPECT_EQ(Drawn("1:N").parent(2), "p1");
    EXPECT_EQ(Drawn("1:X").parent(2), "p0");
    EXPECT_EQ(Drawn("1:N 2:X 3:X").parent(4), "p1");
    EXPECT_EQ(Drawn("1:N 2:NX 3:X").parent(4), "p2") << "either may be built on";
    EXPECT_EQ(Drawn("1:N 2:- 3:X").parent(4), "?2") << "2 may be final for all we know";
    EXPECT_EQ(Drawn("1:N 3:N").parent(4), "p3");
    EXPECT_EQ(Drawn("1:N 3:N 2:F").parent(4), "p3");
    EXPECT_EQ(Drawn("3:F 4:X 5:X").parent(6), "p3");
}

// A walk over every dead view, for each of them, would take 10^11 steps here. [ORD-P1.1]
TEST(ViewLog, AParentBelowAHundredThousandDeadViewsIsFoundAtOnce) {
    ViewLog log{block_id("g")};
    const Seats seats{4};
    static_cast<void>(
        log.put(seats.certificate(Seats::content(VoteKind::notarize, 1, 0, block_id("1"))))
    );
    Certificate dead = seats.certificate(Seats::nullify(2));
    for (std::uint64_t view = 2; view <= 100'000; ++view) {
        dead.content.view = View{view};
        static_cast<void>(log.put(dead));
        ASSERT_EQ(std::get<Head>(log.parent_for(View{view + 1})).view, View{1});
        const auto ancestry = log.check_parent(View{view + 1}, View{1}, block_id("1"));
        ASSERT_EQ(ancestry.verdict, Verdict::proven);
        ASSERT_EQ(log.notarized().view, View{1});
        ASSERT_EQ(log.certified(), View{view});
    }
}

// ava-labs/Simplex#281: a block on the grandparent without the nullification of the skipped view.
// [ORD-N3.1]
TEST(ViewLog, AParentBelowASkippedViewNeedsItsNullification) {
    const Drawn skipped("1:N 2:N");
    const Ancestry ancestry = skipped.ancestry(3, 1);
    EXPECT_EQ(ancestry.verdict, Verdict::missing);
    EXPECT_EQ(ancestry.missing, (std::vector<CertificateKey>{{View{2}, VoteKind::nullify}}));
    EXPECT_EQ(Drawn("1:N 2:NX").ancestry(3, 1).verdict, Verdict::proven);
    EXPECT_EQ(Drawn("1:N 2:NX").ancestry(3, 2).verdict, Verdict::proven);
    EXPECT_EQ(Drawn("1:N 2:F").ancestry(3, 1).verdict, Verdict::invalid) << "2 is final";
}

TEST(ViewLog, MissingIsNeverAFaultAndWrongAlwaysIs) {
    EXPECT_EQ(Drawn("").ancestry(2, 1).verdict, Verdict::missing);
    EXPECT_EQ(Drawn("").ancestry(2, 2).verdict, Verdict::invalid);
    EXPECT_EQ(Drawn("").ancestry(2, 3).verdict, Verdict::invalid);
    const Drawn notarized("1:N");
    EXPECT_EQ(
        notarized.log.check_parent(View{2}, View{1}, block_id("other")).verdict, Verdict::invalid
    );
    EXPECT_EQ(
        notarized.log.check_parent(View{2}, View{}, block_id("other")).verdict, Verdict::invalid
    );
    EXPECT_EQ(Drawn("").ancestry(500, 1).missing.size(), 32U) << "bounded";
}

// [ORD-C3.1] [ORD-G1.1]
TEST(ViewLog, KeepsNotarizationAndNullificationOfAViewSideBySide) {
    Drawn both("");
    EXPECT_EQ(both.put(1, 'X'), ViewLog::Put::added);
    EXPECT_EQ(both.put(1, 'N'), ViewLog::Put::added);
    EXPECT_EQ(both.put(1, 'N'), ViewLog::Put::known);
    EXPECT_NE(both.log.find(View{1}, VoteKind::notarize), nullptr);
    EXPECT_NE(both.log.find(View{1}, VoteKind::nullify), nullptr);
    EXPECT_EQ(both.log.notarized().view, View{1});
}

// [ORD-F3.1]
TEST(ViewLog, AFinalisationReplacesEverythingAtOrBelowIt) {
    Drawn views("1:N 2:X 3:N 4:N 7:N 6:F");
    EXPECT_EQ(views.log.final(), (Head{View{6}, block_id("6")}));
    EXPECT_EQ(views.log.views_held(), 1U);
    EXPECT_EQ(views.log.take_dropped().size(), 4U);
    EXPECT_TRUE(views.log.take_dropped().empty());
    EXPECT_EQ(views.put(5, 'N'), ViewLog::Put::known);
    EXPECT_EQ(views.put(5, 'F'), ViewLog::Put::known);
    EXPECT_EQ(views.put(9, 'F'), ViewLog::Put::added);
    EXPECT_EQ(views.log.take_dropped().size(), 2U) << "the older finalisation, too";
    EXPECT_EQ(views.log.certified(), View{9});
}

// Failure 3: a view change took the timeout's view for the certificate's. The highest certificate
// wins, whatever the order of arrival.
TEST(ViewLog, TheOrderOfArrivalDoesNotMatter) {
    std::vector<std::pair<std::uint64_t, char>> marks{
        {1, 'N'}, {2, 'N'}, {3, 'N'}, {3, 'X'}, {2, 'F'}, {4, 'X'}};
    std::sort(marks.begin(), marks.end());
    do {
        Drawn views("");
        for (const auto& [view, mark] : marks)
            views.put(view, mark);
        ASSERT_EQ(views.log.final().view, View{2});
        ASSERT_EQ(views.log.notarized().view, View{3});
        ASSERT_EQ(views.log.certified(), View{4});
        ASSERT_EQ(views.parent(5), "p3");
    } while (std::next_permutation(marks.begin(), marks.end()));
}

TEST(ViewLog, ShowsCertificatesThatClash) {
    Drawn views("1:N 2:X");
    const auto clash = [&](const VoteContent& content) {
        return views.log.clash(views.seats.certificate(content)) != nullptr;
    };
    EXPECT_TRUE(clash(Seats::content(VoteKind::notarize, 1, 0, block_id("b"))));
    EXPECT_TRUE(clash(Seats::content(VoteKind::finalize, 2, 1, block_id("2"))));
    EXPECT_FALSE(clash(Seats::content(VoteKind::notarize, 2, 1, block_id("2"))));
    EXPECT_FALSE(clash(Seats::content(VoteKind::finalize, 1, 0, block_id("1"))));
}

// [ORD-B2.1]
TEST(ViewLog, ABurialReplacesTheNullificationsOfItsViews) {
    Drawn views("");
    for (std::uint64_t view = 60; view <= 130; ++view)
        views.put(view, 'X');
    views.put(70, 'N');
    const auto burial = [&](std::uint64_t base, std::uint64_t last) {
        return views.seats.certificate({VoteKind::bury, Epoch{1}, View{last}, View{base}, BlockId{}}
        );
    };
    EXPECT_EQ(views.log.to_bury(View{128}, 1), (std::vector<ViewSpan>{{View{64}, View{128}}}))
        << "not 0 to 64: some of it may live";
    EXPECT_EQ(views.parent(129), "p70");
    EXPECT_EQ(views.log.put(burial(64, 128)), ViewLog::Put::added);
    EXPECT_EQ(views.log.put(burial(64, 128)), ViewLog::Put::known);
    EXPECT_EQ(views.log.take_dropped().size(), 64U);
    EXPECT_EQ(views.log.views_held(), 5U + 1U + 2U + 1U) << "60 to 64, 70, 129 and 130, the burial";
    EXPECT_EQ(views.parent(129), "p70") << "a notarized view stays a parent";
    EXPECT_EQ(views.ancestry(129, 70).verdict, Verdict::proven);
    EXPECT_EQ(views.put(99, 'X'), ViewLog::Put::known);
    EXPECT_EQ(views.log.find(View{99}, VoteKind::nullify)->content, burial(64, 128).content);
    EXPECT_TRUE(views.log.to_bury(View{128}, 1).empty());
    EXPECT_EQ(views.put(99, 'F'), ViewLog::Put::clashing);
    EXPECT_EQ(views.put(130, 'N'), ViewLog::Put::added);
    EXPECT_EQ(views.put(131, 'F'), ViewLog::Put::added);
    EXPECT_EQ(views.log.views_held(), 0U);
    EXPECT_EQ(views.log.put(burial(128, 192)), ViewLog::Put::clashing);
}

TEST(ViewLog, RemembersTheFirstProposalOfAView) {
    Drawn views("");
    views.log.propose(View{3}, block_id("a"));
    views.log.propose(View{3}, block_id("b"));
    EXPECT_EQ(views.log.proposal(View{3}), block_id("a"));
    EXPECT_FALSE(views.log.equivocated(View{3}) || views.log.refused(View{3}));
    views.log.mark_equivocated(View{3});
    views.log.refuse(View{3});
    EXPECT_TRUE(views.log.equivocated(View{3}) && views.log.refused(View{3}));
    views.put(3, 'F');
    EXPECT_FALSE(views.log.proposal(View{3}));
    views.log.mark_equivocated(View{2});
    EXPECT_EQ(views.log.views_held(), 0U);
}

}  // namespace
}  // namespace creto::simplex
