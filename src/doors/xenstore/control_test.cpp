// CONTROL: the commands, and that no client makes the daemon write where it likes.
#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

using enum Operation;

class Control : public World {};

TEST_F(Control, SaysWhatItCan) {
  EXPECT_EQ(zero_.ask(control, "help|"),
            "check\t\nlog\ton\x7coff\nlogfile\t<file>\nmemreport\t[<file>]\nprint\t<string>\n"
            "quota\t[set <name> <val>\x7c<domid>]\nquota-soft\t[set <name> <val>]\nhelp\t\n|");
  EXPECT_EQ(zero_.ask(control, "check|"), "OK|");
  for (const char* payload : {"", "help", "help|x|", "check|x|", "nonsense|", "live-update|-s|"})
    EXPECT_EQ(zero_.ask(control, payload), "!EINVAL") << payload;
}

TEST_F(Control, LogsWhatIsAskedFor) {
  EXPECT_EQ(zero_.ask(control, "log|on|"), "OK|");
  EXPECT_TRUE(common_.log_requests);
  EXPECT_EQ(zero_.ask(read, "/|"), "");
  EXPECT_EQ(zero_.ask(control, "log|off|"), "OK|");
  EXPECT_FALSE(common_.log_requests);
  EXPECT_EQ(zero_.ask(control, "log|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(control, "log|maybe|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(control, "print|hello\n|"), "OK|");
  EXPECT_EQ(zero_.ask(control, "print|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(control, "memreport|"), "OK|");
}

TEST_F(Control, WritesNoFileThatAClientNames) {
  EXPECT_EQ(zero_.ask(control, "logfile|/tmp/x|"), "!EACCES");
  EXPECT_EQ(zero_.ask(control, "logfile|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(control, "memreport|/tmp/x|"), "!EACCES");
  EXPECT_EQ(zero_.ask(control, "memreport|/tmp/x|/tmp/y|"), "!EINVAL");
}

TEST_F(Control, ShowsAndSetsQuotas) {
  EXPECT_TRUE(zero_.ask(control, "quota|")
                  .starts_with("Quota settings:\n"
                               "nodes            :     1000 Nodes per domain\n"
                               "watches          :      128 Watches per domain\n"));
  EXPECT_EQ(zero_.ask(control, "quota|set|nodes|1001|"), "OK|");
  EXPECT_EQ(zero_.ask(get_quota, "nodes|"), "1001|");
  for (const char* payload : {"quota|set|nodes|0|", "quota|set|nodes|x|", "quota|set|nonsense|1|", "quota|set|nodes|",
                              "quota|x|", "quota|get|nodes|1|"})
    EXPECT_EQ(zero_.ask(control, payload), "!EINVAL") << payload;
  zero_.ask(write, "/of-one|");
  zero_.ask(set_perms, "/of-one|n1|");
  Peer one(common_, 1);
  one.ask(watch, "/a|t|");
  EXPECT_TRUE(zero_.ask(control, "quota|1|")
                  .starts_with("Domain 1:\n"
                               "nodes           :        1\n"
                               "watches         :        1\n"
                               "transactions    :        0\n"));
  EXPECT_EQ(zero_.ask(control, "quota|99|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(control, "quota-soft|"),
            "Quota settings:\nmemory           :  2097152 Total Xenstore memory per domain (warning level)\n|");
  EXPECT_EQ(zero_.ask(control, "quota-soft|set|memory|1000|"), "OK|");
  EXPECT_EQ(zero_.ask(control, "quota-soft|set|nodes|1000|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(control, "quota-soft|1|"), "!EINVAL");
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
