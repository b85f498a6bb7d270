"""What every story stands on: a private daemon, virsh and a python connection to it, and a clean slate afterwards.

    /usr/bin/python3 -m pytest tests/scenario                      the stories, told of vireod
    /usr/bin/python3 -m pytest tests/scenario --target libvirtd    the same of libvirtd: what is expected is true there

VIREOD names another binary than build/release/bin/vireod. Stories of what only Vireo does carry the mark vireo_only
and are not selected for libvirtd.

Stories share a daemon. One that asks for own_daemon has its own, as has each story of a file that says
pytest.mark.usefixtures("own_daemon"). The daemons of a file that has SETTINGS run with those, and no other file shares
them.
"""

import contextlib
import os
import shutil
import signal
import tempfile

import libvirt
import pytest

for helper in ("cgroups", "commands", "consoles", "daemons", "definitions", "events", "faults", "hanging_fs", "patience"):
    pytest.register_assert_rewrite(helper)

import commands  # noqa: E402
import consoles  # noqa: E402
import daemons  # noqa: E402
import definitions  # noqa: E402
import events  # noqa: E402
import patience  # noqa: E402

libvirt.registerErrorHandler(lambda _context, _error: None, None)


def pytest_addoption(parser):
    parser.addoption("--target", choices=("vireo", "libvirtd"), default="vireo", help="whose stories are told")


def pytest_configure(config):
    # A folder of this run's own. pytest's usual one is shared by all runs, and each that begins closes it to QEMU's user.
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="vireo-")
    config.addinivalue_line("markers", "vireo_only: what libvirtd does otherwise or not at all")
    config.addinivalue_line("markers", "long: only in the long run")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--target") == "libvirtd":
        others = [item for item in items if item.get_closest_marker("vireo_only")]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


def pytest_sessionfinish(session, exitstatus):
    """What failed stories leave behind is worth a look; what others do is not."""
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        shutil.rmtree(session.config.option.basetemp, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed story shows what its daemon had to say."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name in ("daemon", "own_daemon"):
            daemon = item.funcargs.get(name) if hasattr(item, "funcargs") else None
            if daemon:
                report.sections.append((f"log of {daemon.name}", daemon.log(daemon.story_began)))


@pytest.fixture(scope="session", autouse=True)
def event_loop():
    events.run_event_loop()


@pytest.fixture(scope="session")
def guest_files(tmp_path_factory):
    """The small Linux guest. A copy of it, because QEMU's user may not reach the checkout."""
    copy = short_folder(tmp_path_factory)
    for name in ("vmlinuz", "initrd", "cmdline"):
        shutil.copy(daemons.make_guest_files() / name, copy / name)
        (copy / name).chmod(0o644)
    return copy


@pytest.fixture
def folder(tmp_path_factory):
    """A folder for the story's files that everybody may read."""
    return short_folder(tmp_path_factory)


@pytest.fixture(scope="session")
def start_daemon(request, tmp_path_factory):
    """Starts the daemon that the stories are told of, in a folder of its own, for as long as a block."""

    def start(settings=None):
        return daemons.running(request.config.getoption("--target"), short_folder(tmp_path_factory), settings)

    return start


def settings_of(module):
    """What the daemons of a file run with: the defaults, unless it says otherwise."""
    return getattr(module, "SETTINGS", None)


@pytest.fixture(scope="session")
def plain_daemon(start_daemon):
    """The daemon that serves all stories which leave it alive and want nothing special."""
    with start_daemon() as daemon:
        yield daemon


@pytest.fixture(scope="module")
def shared_daemon(request, start_daemon):
    """The daemon that serves all stories of a file which leave it alive."""
    settings = settings_of(request.module)
    if settings is None:
        yield request.getfixturevalue("plain_daemon")
        return
    with start_daemon(settings) as daemon:
        yield daemon


@pytest.fixture
def own_daemon(request, start_daemon):
    """A daemon for one story, which may kill it."""
    with start_daemon(settings_of(request.module)) as daemon:
        yield daemon
        if not daemon.alive():
            daemon.restart()
        clean(daemon)


@pytest.fixture
def daemon(request):
    """The daemon of the story: its own if it asks for one, else the shared one."""
    if "own_daemon" in request.fixturenames:
        yield request.getfixturevalue("own_daemon")
        return
    shared = request.getfixturevalue("shared_daemon")
    shared.story_began = shared.log_mark()
    yield shared
    if not shared.alive():
        shared.restart()
        pytest.fail(f"the daemon ended during this story\n{shared.log(shared.story_began)}")
    clean(shared)


def short_folder(tmp_path_factory):
    """A folder that every user can reach."""
    # The name of a unix socket has at most 107 bytes: the root folder's must stay short.
    folder = tmp_path_factory.mktemp("d")
    for each in (folder, folder.parent):
        each.chmod(0o755)  # QEMU runs as another user and has to get there
    return folder


def clean(daemon):
    """Leaves no guest behind, whatever the story did."""
    connection = libvirt.open(daemon.uri)
    try:
        signal_all(daemon, signal.SIGCONT)
        patience.wait_until(lambda: end_all(connection), timeout_s=60, what="the last guest's end")
    finally:
        connection.close()
        signal_all(daemon, signal.SIGKILL)
        definitions.issued.clear()


def signal_all(daemon, number):
    """Whoever still runs of the guests that the story defined. Some may end just now."""
    for uuid in definitions.issued:
        pid = daemon.guest_pid(uuid)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def end_all(connection):
    """Destroys and undefines what there is; says whether nothing was."""
    guests = connection.listAllDomains()
    for domain in guests:
        try:
            if domain.isActive():
                domain.destroy()
            if domain.isPersistent():
                domain.undefine()
        except libvirt.libvirtError as problem:
            # It may end by itself meanwhile; then the next look tells.
            if problem.get_error_code() not in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
                raise
    return not guests


@pytest.fixture
def virsh(daemon, tmp_path):
    return commands.Virsh(daemon.uri, tmp_path)


@pytest.fixture
def vireo(daemon):
    return commands.Vireo(daemon)


@pytest.fixture
def conn(daemon):
    connection = libvirt.open(daemon.uri)
    yield connection
    connection.close()


@pytest.fixture
def recorder(conn):
    recorder = events.Recorder(conn)
    yield recorder
    recorder.close()


@pytest.fixture
def booted(conn, guest_files):
    """Defines and boots a Linux guest; gives the guest and its console once it has said hello."""
    open_consoles = []

    def boot(name, **options):
        domain = conn.defineXML(definitions.linux_xml(name, guest_files, **options))
        console = consoles.boot(conn, domain)
        open_consoles.append(console)
        return domain, console

    yield boot
    for console in open_consoles:
        console.close()


@pytest.fixture
def on_terminal(virsh):
    """Runs virsh on a pseudo-terminal, as a person does."""
    terminals = []

    def run(*arguments):
        terminals.append(consoles.Terminal(virsh.argv(*arguments)))
        return terminals[-1]

    yield run
    for terminal in terminals:
        terminal.close()
