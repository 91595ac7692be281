package orderroute;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/** How often a name was given with a wrong password from one address, and until when that pair is not listened to. */
final class FailedSignIns {

  private static final int FREE = 5;
  private static final long FIRST_WAIT = Duration.ofSeconds(15).toNanos();
  private static final long LONGEST_WAIT = Duration.ofSeconds(60).toNanos();
  private static final int MOST_KEPT = 10_000;

  private final LongSupplier clock;
  private final Map<Pair, Failures> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Pair, Failures> eldest) {
          return size() > MOST_KEPT;
        }
      };

  FailedSignIns(LongSupplier nanoClock) {
    clock = nanoClock;
  }

  synchronized boolean mustWait(String name, String address) {
    Failures failures = kept.get(new Pair(name, address));
    return failures != null && failures.count >= FREE && clock.getAsLong() - failures.until < 0;
  }

  /** One more failure; what is tried during a wait is no failure, so that nobody is kept out for longer than it. */
  synchronized void add(String name, String address) {
    Failures failures = kept.computeIfAbsent(new Pair(name, address), pair -> new Failures());
    failures.count++;
    int doublings = Math.min(Math.max(failures.count - FREE, 0), 10);
    failures.until = clock.getAsLong() + Math.min(FIRST_WAIT << doublings, LONGEST_WAIT);
  }

  synchronized void forget(String name, String address) {
    kept.remove(new Pair(name, address));
  }

  synchronized void forget(String name) {
    kept.keySet().removeIf(pair -> pair.name.equals(name));
  }

  private record Pair(String name, String address) {}

  private static final class Failures {
    private int count;
    private long until;
  }
}
