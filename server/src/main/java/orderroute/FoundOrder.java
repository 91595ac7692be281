package orderroute;

/** An order as a support process finds it by the number that a person typed; no instance id means there is none. */
record FoundOrder(String key, String instanceId, boolean running, boolean promised, boolean paid, boolean shipped) {

  static FoundOrder none(String key) {
    return new FoundOrder(key, null, false, false, false, false);
  }
}
