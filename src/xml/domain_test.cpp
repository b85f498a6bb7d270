// What reading a definition refuses, with which code, and what it ignores. The codes are those of a real libvirtd 9.0
// for the same documents. Whole documents are compared in tests/golden.
#include "xml/domain.hpp"

#include <gtest/gtest.h>

namespace vireo::xml {
namespace {

std::string with(std::string_view more) {
  return fmt::format("<domain type='qemu'><name>g</name><memory>65536</memory><os><type>hvm</type></os>{}</domain>",
                     more);
}

std::string with_device(std::string_view device) { return with(fmt::format("<devices>{}</devices>", device)); }

void expect_error(const std::string& text, int code, int domain, std::string_view words) {
  const auto def = parse_domain(text);
  ASSERT_FALSE(def) << text;
  EXPECT_EQ(def.error().code, code) << def.error().message();
  EXPECT_EQ(def.error().domain, domain) << def.error().message();
  EXPECT_TRUE(def.error().message().contains(words)) << def.error().message();
}

TEST(ParseDomain, MissingAndInvalidValuesGiveLibvirtsCodes) {
  expect_error("<domain/>", VIR_ERR_NO_NAME, VIR_FROM_DOMAIN, "missing name information");
  expect_error("<foo/>", VIR_ERR_XML_ERROR, VIR_FROM_XML, "expecting root element of 'domain', not 'foo'");
  expect_error("<domain type='bogus'><name>g</name></domain>", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "invalid domain type bogus");
  expect_error("<domain type='qemu'><name>g</name><os><type>hvm</type></os></domain>", VIR_ERR_XML_ERROR,
               VIR_FROM_DOMAIN, "Memory size must be specified");
  expect_error("<domain type='qemu'><name>g</name><memory>1</memory></domain>", VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN,
               "an os <type> must be specified");
  expect_error("<domain type='qemu'><name>g</name><memory>1</memory><os><type>exe</type></os></domain>",
               VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN, "unknown OS type 'exe'");
  expect_error(with("<uuid>bad</uuid>"), VIR_ERR_INTERNAL_ERROR, VIR_FROM_DOMAIN, "malformed uuid element");
  expect_error("<domain type='qemu'><name>a/b</name><memory>1</memory><os><type>hvm</type></os></domain>",
               VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "name a/b cannot contain '/'");
  expect_error("<domain type='qemu'><name>g</name><memory>x</memory></domain>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
               "Invalid value 'x' for element or attribute './memory[1]'");
  expect_error("<domain type='qemu'><name>g</name><memory unit='foo'>1</memory></domain>", VIR_ERR_INVALID_ARG,
               VIR_FROM_NONE, "unknown suffix 'foo'");
  expect_error(with("<title>a\nb</title>"), VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "title");
  expect_error(with("<vcpu>x</vcpu>"), VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "must be an integer");
  expect_error(with("<vcpu current='3'>2</vcpu>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN, "maximum vCPU count");
  expect_error(with("<on_reboot>bogus</on_reboot>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "unknown on_reboot action: bogus");
  expect_error(with("<clock offset='bogus'/>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "unknown clock offset 'bogus'");
  expect_error(with("<features><bogus/></features>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "unexpected feature 'bogus'");
}

TEST(ParseDomain, SecurityLabelsGiveLibvirtsCodes) {
  constexpr int kUnsupported = VIR_ERR_CONFIG_UNSUPPORTED;
  expect_error(with("<seclabel type='dynamic' model='dac' relabel='no'/>"), kUnsupported, VIR_FROM_DOMAIN,
               "dynamic label type must use resource relabeling");
  expect_error(with("<seclabel type='none' model='dac' relabel='yes'/>"), kUnsupported, VIR_FROM_DOMAIN,
               "resource relabeling is not compatible with 'none' label type");
  expect_error(with("<seclabel type='static' model='dac'/>"), VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN,
               "security label is missing");
  expect_error(with("<seclabel type='static'><label>+1:+1</label></seclabel>"), VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN,
               "missing security model in domain seclabel");
  expect_error(with("<seclabel model='dac'/><seclabel type='none' model='dac'/>"), VIR_ERR_XML_DETAIL, VIR_FROM_DOMAIN,
               "seclabel for model dac is already provided");
  expect_error(with("<seclabel type='bad' model='dac'/>"), VIR_ERR_XML_ERROR, VIR_FROM_XML,
               "Invalid value for attribute 'type' in element 'seclabel': 'bad'.");
  const auto of_source = [](std::string_view label) {
    return with_device(fmt::format("<disk><source file='/x'>{}</source><target dev='vda'/></disk>", label));
  };
  expect_error(of_source("<seclabel model='dac' relabel='no'><label>+1:+1</label></seclabel>"), VIR_ERR_XML_ERROR,
               VIR_FROM_DOMAIN, "Cannot specify a label if relabelling is turned off. model=dac");
  expect_error(of_source("<seclabel model='dac'/><seclabel model='dac'/>"), VIR_ERR_XML_DETAIL, VIR_FROM_DOMAIN,
               "seclabel for model dac is already provided");
  expect_error(of_source("<seclabel model='dac' relabel='maybe'/>"), VIR_ERR_XML_ERROR, VIR_FROM_XML,
               "Invalid value for attribute 'relabel' in element 'seclabel': 'maybe'.");
}

// As libvirtd 9.0 shows running guests, of which one says nothing of labels and one all.
TEST(FormatDomain, LabelsInForceAreShownOfRunningGuestsOnly) {
  auto def =
      *parse_domain(with("<seclabel type='static' model='selinux' relabel='yes'><label>a:b:c:s0</label></seclabel>"
                         "<seclabel type='none' model='apparmor'/>"));
  def.seclabels[0].imagelabel = "a:d:e:s0";
  def.seclabels.push_back({.type = model::SecLabelType::dynamic,
                           .model = "dac",
                           .relabel = true,
                           .label = "+107:+36",
                           .imagelabel = "+107:+36",
                           .baselabel = {}});
  EXPECT_TRUE(format_domain(def).ends_with(R"(
  <seclabel type='static' model='selinux' relabel='yes'>
    <label>a:b:c:s0</label>
    <imagelabel>a:d:e:s0</imagelabel>
  </seclabel>
  <seclabel type='none' model='apparmor'/>
  <seclabel type='dynamic' model='dac' relabel='yes'>
    <label>+107:+36</label>
    <imagelabel>+107:+36</imagelabel>
  </seclabel>
</domain>
)")) << format_domain(def);
  EXPECT_EQ(*parse_domain(format_domain(def), {.live = true}), def);
  EXPECT_TRUE(format_domain(def, {.inactive = true}).ends_with(R"(
  <seclabel type='static' model='selinux' relabel='yes'>
    <label>a:b:c:s0</label>
  </seclabel>
  <seclabel type='none' model='apparmor'/>
</domain>
)")) << format_domain(def, {.inactive = true});
}

TEST(ParseDomain, DevicesGiveLibvirtsCodes) {
  expect_error(with_device("<disk type='file'><target dev='vda'/></disk>"), VIR_ERR_NO_SOURCE, VIR_FROM_DOMAIN,
               "missing source information for device vda");
  expect_error(with_device("<disk type='file'><source file='/x'/></disk>"), VIR_ERR_NO_TARGET, VIR_FROM_DOMAIN,
               "missing target information for device /x");
  expect_error(with_device("<disk><source file='/x'/><target dev='vda'/></disk>"
                           "<disk><source file='/y'/><target dev='vda'/></disk>"),
               VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "target 'vda' duplicated for disk sources '/x' and '/y'");
  expect_error(with_device("<disk type='bogus'/>"), VIR_ERR_XML_ERROR, VIR_FROM_XML,
               "Invalid value for attribute 'type' in element 'disk': 'bogus'.");
  expect_error(with_device("<disk><source file='/x'/><target dev='vda' bus='bogus'/></disk>"), VIR_ERR_XML_ERROR,
               VIR_FROM_XML, "Invalid value for attribute 'bus' in element 'target': 'bogus'.");
  expect_error(with_device("<interface type='user'><mac address='zz'/></interface>"), VIR_ERR_XML_ERROR,
               VIR_FROM_DOMAIN, "unable to parse mac address 'zz'");
  expect_error(with_device("<interface type='user'><mac address='53:54:00:00:00:01'/></interface>"), VIR_ERR_XML_ERROR,
               VIR_FROM_DOMAIN, "expected unicast mac address");
  expect_error(with_device("<graphics/>"), VIR_ERR_XML_ERROR, VIR_FROM_XML,
               "Missing required attribute 'type' in element 'graphics'");
  expect_error(with_device("<video><model type='bogus'/></video>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "unknown video model 'bogus'");
  expect_error(with_device("<memballoon/>"), VIR_ERR_XML_ERROR, VIR_FROM_XML, "Missing required attribute 'model'");
  expect_error(with_device("<memballoon model='none'/><memballoon model='none'/>"), VIR_ERR_INTERNAL_ERROR,
               VIR_FROM_DOMAIN, "only a single memory balloon");
  expect_error(with_device("<disk><source file='/x'/><target dev='vda'/><address type='bogus'/></disk>"),
               VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN, "unknown address type 'bogus'");
  expect_error(with_device("<channel type='pty'/>"), VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, "target type");
}

TEST(ParseDomain, KnownButNotHonouredIsRefusedByName) {
  const auto refused = [](const std::string& text, std::string_view words) {
    expect_error(text, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN, words);
    expect_error(text, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
                 "is not supported by Vireo yet; remove it from domain 'g'");
  };
  refused(with_device("<hostdev mode='subsystem' type='pci'/>"), "element <hostdev> in <devices>");
  refused(with("<maxMemory slots='4'>4194304</maxMemory>"), "element <maxMemory> in <domain>");
  refused(with("<blkiotune><weight>100</weight></blkiotune>"), "element <blkiotune> in <domain>");
  refused(with("<features><hyperv/></features>"), "element <hyperv> in <features>");
  refused(with("<cpu><numa/></cpu>"), "element <numa> in <cpu>");
  refused(with("<vcpu cpuset='0-1'>2</vcpu>"), "attribute 'cpuset' of element <vcpu>");
  refused(with_device("<interface type='network'><source network='default'/></interface>"),
          "type='network' of element <interface> in <devices>");
  refused(with_device("<disk type='block'><source dev='/dev/sda'/><target dev='vda'/></disk>"), "type='block'");
  refused(with_device("<disk device='floppy'><source file='/x'/><target dev='fda'/></disk>"), "device='floppy'");
  refused(with_device("<disk><source file='/x'/><target dev='vda'/><iotune/></disk>"), "element <iotune> in <disk>");
  refused(with_device("<graphics type='sdl'/>"), "type='sdl'");
  refused(with_device("<graphics type='vnc' passwd='x'/>"), "attribute 'passwd' of element <graphics>");
  refused(with_device("<graphics type='vnc' websocket='5700'/>"), "attribute 'websocket'");
  refused(with_device("<graphics type='spice' autoport='yes' passwd='x'/>"),
          "attribute 'passwd' of element <graphics>");
  refused(with_device("<graphics type='spice' port='5900' tlsPort='5901'/>"), "attribute 'tlsPort'");
  refused(with_device("<graphics type='spice' tlsPort='-1'/>"), "attribute 'tlsPort'");
  refused(with_device("<graphics type='spice' defaultMode='secure'/>"), "defaultMode='secure'");
  refused(with_device("<graphics type='spice'><gl enable='yes'/></graphics>"), "enable='yes' of element <gl>");
  refused(with_device("<graphics type='spice' sharePolicy='ignore'/>"), "attribute 'sharePolicy'");
  refused(with_device("<audio id='1' type='alsa'/>"), "type='alsa'");
  refused(with_device("<sound model='ich9'/>"), "element <sound>");
  refused(with_device("<video><model type='qxl'/></video>"), "type='qxl'");
  refused(with("<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>"), "element <q:commandline>");
}

TEST(ParseDomain, WhatLibvirtDoesNotKnowIsIgnored) {
  const auto plain = parse_domain(with("<uuid>4f1c0f5e-7a31-4c0a-9d51-000000000001</uuid>"));
  const auto strange =
      parse_domain(with("<uuid>4f1c0f5e-7a31-4c0a-9d51-000000000001</uuid><bogus/><x:y xmlns:x='urn:x'/>"
                        "<devices surprise='1'><bogus/></devices>"));
  ASSERT_TRUE(plain);
  ASSERT_TRUE(strange) << strange.error().message();
  EXPECT_EQ(*plain, *strange);
}

// libvirt takes the first of what differs, and says nothing of the rest.
TEST(ParseDomain, WhatIsSaidTwiceMustBeTheSame) {
  const auto twice = [](const std::string& text, std::string_view element) {
    expect_error(text, VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN, fmt::format("element <{}> stands more than once", element));
  };
  twice(with("<name>h</name>"), "name");
  twice(with("<memory>131072</memory>"), "memory");
  twice(with("<os><type arch='x86_64'>hvm</type></os>"), "type");
  twice(with("<os><kernel>/a</kernel></os><os><kernel>/b</kernel></os>"), "kernel");
  twice(with("<clock offset='utc'/><clock offset='localtime'/>"), "clock");
  twice(with("<cpu mode='maximum'/><cpu mode='maximum'><topology sockets='1' cores='1' threads='1'/></cpu>"), "cpu");
  twice(with("<on_crash>restart</on_crash><on_crash>destroy</on_crash>"), "on_crash");
  twice(with_device("<interface type='user'><link state='up'/><link state='down'/></interface>"), "link");
  twice(with_device("<disk><source file='/x'/><source file='/y'/><target dev='vda'/></disk>"), "source");
  twice(with_device("<emulator>/a</emulator><emulator>/b</emulator>"), "emulator");
  EXPECT_TRUE(parse_domain(with("<name>g</name><cpu mode='maximum'><!-- a --> </cpu><cpu mode='maximum'/>")));
}

TEST(ParseDomain, PartsInSeveralElementsCountAsOne) {
  const std::string_view tablet = "<input type='tablet' bus='usb'/>", mouse = "<input type='mouse' bus='usb'/>";
  const auto apart = parse_domain(
      with(fmt::format("<os><kernel>/a</kernel></os><features><acpi/></features><features><pae/></features>"
                       "<clock offset='localtime'/><clock><timer name='rtc'/></clock>"
                       "<devices>{}</devices><devices>{}</devices>",
                       tablet, mouse)));
  ASSERT_TRUE(apart) << apart.error().message();
  EXPECT_EQ(apart->os.kernel, "/a");
  EXPECT_EQ(apart->os.type, "hvm");
  EXPECT_TRUE(apart->features.acpi && apart->features.pae);
  EXPECT_EQ(apart->clock.offset, model::ClockOffset::localtime);
  EXPECT_EQ(apart->clock.timers.size(), 1U);
  EXPECT_EQ(apart->devices.inputs.size(), 2U);
}

TEST(ParseDomain, PanicDevicesAreKnownByTheirModel) {
  expect_error(with_device("<panic model='bogus'/>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "unknown panic model 'bogus'");
  expect_error(with_device("<panic model='hyperv'/>"), VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
               "model='hyperv' of element <panic> in <devices> is not supported by Vireo yet");
  expect_error(with_device("<panic><address type='isa' iobase='zz'/></panic>"), VIR_ERR_XML_ERROR, VIR_FROM_XML,
               "Invalid value for attribute 'iobase' in element 'address': 'zz'. Expected non-negative integer value");
  expect_error(with_device("<input type='tablet'><address type='isa' iobase='0x60'/></input>"),
               VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN, "type='isa' of element <address> in <input>");
}

TEST(ParseDomain, AMissingUuidIsMadeUp) {
  const auto one = parse_domain(with("")), other = parse_domain(with(""));
  ASSERT_TRUE(one && other);
  EXPECT_NE(one->uuid, Uuid{});
  EXPECT_NE(one->uuid, other->uuid);
}

TEST(ParseDomain, UnitsOfMemory) {
  for (const auto& [text, kib] : {std::pair("<memory unit='GiB'>1</memory>", 1048576U),
                                  {"<memory unit='MB'>500</memory>", 488282U},
                                  {"<memory unit='bytes'>1025</memory>", 2U},
                                  {"<memory>\n 7 </memory>", 7U}}) {
    const auto def =
        parse_domain(fmt::format("<domain type='qemu'><name>g</name>{}<os><type>hvm</type></os></domain>", text));
    ASSERT_TRUE(def) << text;
    EXPECT_EQ(def->memory_kib, kib) << text;
  }
}

TEST(ParseDomain, LivePartsAreReadOnlyWhenAskedFor) {
  const std::string text =
      "<domain type='qemu' id='5'><name>g</name><memory>65536</memory><os><type>hvm</type></os><devices>"
      "<console type='pty' tty='/dev/pts/3'><source path='/dev/pts/3'/><alias name='serial0'/></console>"
      "<graphics type='vnc' port='5903' autoport='yes'/></devices></domain>";
  const auto live = parse_domain(text, {.live = true});
  ASSERT_TRUE(live);
  EXPECT_EQ(live->id, 5);
  EXPECT_EQ(live->devices.consoles[0].source.path, "/dev/pts/3");
  EXPECT_EQ(live->devices.consoles[0].info.alias, "serial0");
  EXPECT_EQ(live->devices.graphics[0].port, 5903);
  const auto defined = parse_domain(text);
  ASSERT_TRUE(defined);
  EXPECT_FALSE(defined->id);
  EXPECT_EQ(defined->devices.consoles[0].source.path, "");
  EXPECT_EQ(defined->devices.consoles[0].info.alias, "");
  EXPECT_EQ(defined->devices.graphics[0].port, -1);
}

TEST(ParseDomain, PortsOfSpice) {
  struct Case {
    const char* said;
    bool live;
    int port;
    bool autoport, on_tcp;
  };
  for (const auto& c :
       {Case{"", false, 0, false, false}, Case{"autoport='no'", false, 0, false, false},
        Case{"port='0' tlsPort='0'", false, 0, false, false}, Case{"autoport='yes'", false, -1, true, true},
        Case{"port='-1' tlsPort='-1'", false, -1, true, true}, Case{"port='-1'", false, -1, false, true},
        Case{"port='5907'", false, 5907, false, true},
        Case{"port='5907' tlsPort='5908' autoport='yes'", false, -1, true, true},
        Case{"port='5907' autoport='yes'", true, 5907, true, true}, Case{"autoport='yes'", true, -1, true, true}}) {
    const auto def = parse_domain(with_device(fmt::format("<graphics type='spice' {}/>", c.said)), {.live = c.live});
    ASSERT_TRUE(def) << c.said;
    const auto& spice = def->devices.graphics.front();
    EXPECT_EQ(spice.port, c.port) << c.said;
    EXPECT_EQ(spice.autoport, c.autoport) << c.said;
    EXPECT_EQ(spice.on_tcp(), c.on_tcp) << c.said;
  }
  for (const auto* port : {"-2", "65536"})
    expect_error(with_device(fmt::format("<graphics type='spice' port='{}'/>", port)), VIR_ERR_CONFIG_UNSUPPORTED,
                 VIR_FROM_DOMAIN, fmt::format("spice port must be in range [1,65535], not {}", port));
}

}  // namespace
}  // namespace vireo::xml
