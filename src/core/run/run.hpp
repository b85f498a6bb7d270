// One life of a guest's process: bringing it up, following what it tells by itself, noticing its end, and taking it
// over from an earlier daemon. Core thread only. Who calls bring_up holds the guest's lane; events and the end come
// whenever they come, and change what is published at once, in one step, without the lane.
#pragma once

#include "core/host.hpp"
#include "core/verbs/verbs.hpp"

namespace vireo::core {

// Launches `definition` as the next life of `domain`: publishes it as running (or paused) and emits Started, or leaves
// nothing behind and says why. `domain` may be unpublished as yet (a transient guest). The caller can be cancelled
// until the launch is admitted; what was done until then is taken back before that ends the coroutine.
asio::awaitable<Result<void>> bring_up(Host& host, DomainPtr domain, model::DomainDefPtr definition,
                                       StartOptions options, ports::LaunchRecorderPtr recorder);

// The sink for a life's events.
ports::GuestEventSink event_sink(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run);

// The process is gone: publishes the guest as shut off, or withdraws it if it was transient, emits Stopped, and takes
// back what the life held.
void finish_run(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, const ports::GuestEvent& exit);

// Ends the process and waits until finish_run has happened.
asio::awaitable<Result<void>> end_run(Host& host, std::shared_ptr<Run> run, bool gentle);

// The same at once for a life that has not been taken over yet: its process is known, its monitor does not answer.
asio::awaitable<Result<void>> end_unreached(Host& host, DomainPtr domain, std::shared_ptr<Run> run);

// Ends what is left of a life that nobody may use any more, then clears it away; tries again until it succeeds. `run`,
// if any, keeps what that life has claimed until then. `first_try` is fired after the first.
asio::awaitable<void> sweep_remains(Host& host, std::shared_ptr<Run> run, ports::RunRecord record,
                                    std::shared_ptr<Wake> first_try);

// A life's folder, and taking back what a life leaves: its folder and its record. Failures are logged.
std::string runtime_folder(const Host& host, int id);
std::string monitor_path(const Host& host, int id);
asio::awaitable<void> remove_runtime_folder(Host& host, std::string path);
asio::awaitable<void> forget_record(Host& host, int id);

// Claims for `run` the TCP ports that `live` names and fills in those that it leaves open. `name`: the guest's.
Result<void> claim_ports(Host& host, const std::string& name, model::DomainDef& live, Run& run);

// Claims for `run` the images that the guest writes to: by inode, so that two paths to one file are one image. Errors:
// VIR_ERR_RESOURCE_BUSY naming the guest that writes to it, VIR_ERR_SYSTEM_ERROR for an image that is not there.
asio::awaitable<Result<std::vector<ports::ClaimedImage>>> claim_images(Host& host, std::string name,
                                                                       model::DomainDefPtr live,
                                                                       std::shared_ptr<Run> run, Deadline deadline);
// The same for a guest that ran on, as it was recorded.
void claim_recorded_images(Host& host, const ports::RunRecord& record, Run& run);

// Publishes a new state of a running guest and records it; does nothing if it is in that state already.
void publish_state(Host& host, Domain& domain, int state, int reason);

// Publishes what has changed of a running guest's live definition. Before the guest is published it is only kept.
void publish_live(Host& host, Domain& domain, Run& run, model::DomainDefPtr live);

// Waits until the running guest's state, as it is published now, is on disk: a verb that changed it answers only then.
// A disk that refuses is logged: the guest is in that state all the same.
asio::awaitable<void> make_state_durable(Host& host, DomainPtr domain);

// What is known of how long the start has taken: there is a process; its vCPUs run; it says that it is up. Each counts
// the first time only. Published with the guest once it is published.
void note_process(Host& host, Run& run, const ports::LaunchRecorder& recorder);
void note_running(Host& host, Domain& domain, Run& run);
// `long_since`: it did so while no daemon looked, so nobody knows when.
void note_up(Host& host, Domain& domain, Run& run, model::UpSign sign, bool long_since = false);
// Puts it on disk in the background, so that it survives the daemon.
void save_boot(Host& host, const Run& run);
// Goes on from what an earlier daemon has saved; null: nothing.
void continue_boot(Run& run, model::BootTimesPtr saved);

void emit_lifecycle(Host& host, const Domain& domain, int id, int event, int detail);

// The channel that a guest's agent opens.
inline constexpr std::string_view kAgentChannel = "org.qemu.guest_agent.0";
// Tells whether the guest's agent is there, if `channel` is the agent's. `reason`:
// virConnectDomainEventAgentLifecycleReason.
void emit_agent(Host& host, const Domain& domain, int id, const model::Channel& channel, int reason);

// Brings back what an earlier daemon left: definitions, running guests, and what has ended meanwhile. Returns when
// every guest has answered or `deadline` has passed; those that did not answer are tried again in the background.
asio::awaitable<void> recover(Host& host, ports::StoredState stored, Deadline deadline);

// Starts every guest that is marked for it and does not run: lower orders first, those of one order together, the next
// order when those are up or have failed and their delays have passed. A failure is logged and stops no other.
asio::awaitable<void> autostart(Host& host);

}  // namespace vireo::core
