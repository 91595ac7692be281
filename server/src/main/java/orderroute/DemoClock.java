package orderroute;

import jakarta.servlet.http.HttpServletRequest;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.operaton.bpm.engine.ManagementService;
import org.operaton.bpm.engine.OptimisticLockingException;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.util.ClockUtil;
import org.operaton.bpm.engine.runtime.Job;
import org.springframework.context.annotation.Profile;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** In demos and tests only: the admin on this machine moves the engine's clock, forward from due job to due job. */
@RestController
@Profile("demo")
@RequestMapping("/demo/clock")
class DemoClock {

  private static final int MOST_JOBS = 2000;

  private final ProcessEngine engine;

  DemoClock(ProcessEngine engine) {
    this.engine = engine;
  }

  @GetMapping
  Map<String, Object> read(HttpServletRequest request) {
    checkCaller(request);
    return Map.of("now", ClockUtil.getCurrentTime().toInstant().toString());
  }

  /** Back to real time, at the end of a simulation that lay in the past. */
  @PostMapping("/reset")
  synchronized Map<String, Object> reset(HttpServletRequest request) {
    checkCaller(request);
    ClockUtil.reset();
    return read(request);
  }

  /** Sets the clock where a simulation begins, also backwards: only while nothing was ever started. */
  @PostMapping("/begin")
  synchronized Map<String, Object> begin(HttpServletRequest request, @RequestBody Map<String, String> body) {
    checkCaller(request);
    Date to = moment(body.get("to"));
    if (engine.getHistoryService().createHistoricProcessInstanceQuery().count() > 0) {
      throw new ResponseStatusException(HttpStatus.CONFLICT, "a history has begun: its clock goes forward only");
    }
    ClockUtil.offset(to.getTime() - System.currentTimeMillis());
    return read(request);
  }

  /** Goes to the next due job or to the wanted moment, whichever is first, and runs what is due there. */
  @PostMapping("/advance")
  synchronized Map<String, Object> advance(HttpServletRequest request, @RequestBody Map<String, String> body) {
    checkCaller(request);
    Date to = moment(body.get("to"));
    if (to.before(ClockUtil.getCurrentTime())) {
      throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "the clock goes forward only");
    }
    Date at = nextStop(to);
    ClockUtil.offset(at.getTime() - System.currentTimeMillis());
    var failed = new ArrayList<String>();
    int done = runDueJobs(failed);
    wakeJobExecutor();
    return Map.of(
        "now", ClockUtil.getCurrentTime().toInstant().toString(),
        "arrived", !at.before(to),
        "jobs", done,
        "failed", failed);
  }

  /** The nightly clean-up of history is no stop: nothing in an order waits for it, and a year has many nights. */
  private Date nextStop(Date to) {
    Set<String> cleaning =
        engine.getHistoryService().findHistoryCleanupJobs().stream().map(Job::getId).collect(Collectors.toSet());
    Date at =
        engine
            .getManagementService()
            .createJobQuery()
            .active()
            .withRetriesLeft()
            .duedateLowerThan(new Date(to.getTime() + 1))
            .orderByJobDuedate()
            .asc()
            .listPage(0, cleaning.size() + 1)
            .stream()
            .filter(job -> !cleaning.contains(job.getId()))
            .map(Job::getDuedate)
            .findFirst()
            .orElse(to);
    Date now = ClockUtil.getCurrentTime();
    return at.before(now) ? now : at;
  }

  private int runDueJobs(List<String> failed) {
    ManagementService jobs = engine.getManagementService();
    int done = 0;
    for (Job job : jobs.createJobQuery().active().withRetriesLeft().executable().listPage(0, MOST_JOBS)) {
      try {
        jobs.executeJob(job.getId());
        done++;
      } catch (OptimisticLockingException takenByTheExecutor) {
        done++;
      } catch (RuntimeException error) {
        // One failing job must not keep the clock from the others: it is reported.
        failed.add(job.getId() + " " + error.getMessage());
      }
    }
    return done;
  }

  private void wakeJobExecutor() {
    var executor = ((ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration()).getJobExecutor();
    if (executor.isActive()) {
      executor.jobWasAdded();
    }
  }

  private static Date moment(String text) {
    try {
      return Date.from(Instant.parse(String.valueOf(text)));
    } catch (DateTimeParseException error) {
      throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "\"to\" must be an instant like 2026-12-24T15:00:00Z");
    }
  }

  private void checkCaller(HttpServletRequest request) {
    if (!isLoopback(request.getRemoteAddr())) {
      throw new ResponseStatusException(HttpStatus.NOT_FOUND);
    }
    String[] login = login(request.getHeader("Authorization"));
    var identity = engine.getIdentityService();
    boolean admin =
        identity.checkPassword(login[0], login[1])
            && identity.createUserQuery().userId(login[0]).memberOfGroup(Caller.ADMINS).count() == 1;
    if (!admin) {
      throw new ResponseStatusException(HttpStatus.UNAUTHORIZED);
    }
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.getByName(address).isLoopbackAddress();
    } catch (UnknownHostException error) {
      return false;
    }
  }

  private static String[] login(String header) {
    try {
      String encoded = header == null ? "" : header.replaceFirst("(?i)^Basic ", "");
      String[] login = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8).split(":", 2);
      return login.length == 2 ? login : new String[] {"", ""};
    } catch (IllegalArgumentException unreadable) {
      return new String[] {"", ""};
    }
  }
}
