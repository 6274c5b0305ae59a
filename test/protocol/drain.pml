/*
 * The drain protocol of a cluster, with 2 edges, 3 models and room for 2 pods. docs/protocol.md says what it shows, what it
 * leaves out, and how it is run. In the printf of each step, a name in brackets is that of the function or method in src/
 * that takes it.
 *
 * With ANY_PLAN the planner gives so many orders, whichever they are, and requests come for ever: all of it is safe, whatever
 * a planner decides. Without it the planner goes by what the edges report, and each client asks so many times: every run
 * ends then, and where it ends, everybody has an answer.
 */
#define EDGES 2
#define MODELS 3
#define ROOM 2
#define CLIENTS 2 /* client c asks at edge c */
#ifndef GATES
#define GATES 3 /* the last number that a gate gets */
#endif
#ifndef LIVES
#ifdef ANY_PLAN
#define LIVES 2 /* pods that each model may have, one after the other */
#else
#define LIVES 4
#endif
#endif
#ifndef ORDERS
#define ORDERS 2 /* drains, drains taken back and starts in all, with ANY_PLAN */
#endif
#ifndef TOUCHED
#define TOUCHED MODELS /* models that the planner does anything with */
#endif
#ifndef ASKS
#define ASKS 1 /* requests of client 0 */
#endif
#ifndef OTHER_ASKS
#define OTHER_ASKS ASKS /* of client 1 */
#endif
#ifndef IDLE_DRAINS
#define IDLE_DRAINS 0 /* drains that nobody needs the room of */
#endif
/* How often what goes wrong does so. */
#ifndef EDGE_CRASHES
#define EDGE_CRASHES 0
#endif
#ifndef LEADER_CRASHES
#define LEADER_CRASHES 0
#endif
#ifndef LOST_WRITES
#define LOST_WRITES 0
#endif
#ifndef REMOVALS
#define REMOVALS 0
#endif
#ifndef SILENCES
#define SILENCES 0
#endif

/* One number says where the pod of a model is: 8 times its life (its uid), and in it the number of its gate, which only grows. */
#define LEAVING 6 /* it is deleted, and its object is still there */
#define GONE 7
#define lifeOf(p) ((p) / 8)
#define stageOf(p) ((p) % 8)
#define isOpen(p) (stageOf(p) < LEAVING && stageOf(p) % 2 == 0)
#define isClosed(p) (stageOf(p) < LEAVING && stageOf(p) % 2 == 1)
#define at(e, m) ((e) * MODELS + (m))
#define NOBODY 9

/* The API server: pods, and the ModelDeployment that is deleted. */
byte pod[MODELS] = {8, 8, GONE}; /* two are loaded */
byte removed = NOBODY;

/* The edges. */
#define DOWN 0
#define STARTING 1
#define SERVING 2
#define DEAD 3 /* and does not come again */
#define isDown(e) (state[e] == DOWN || state[e] == DEAD)
/* `seen`: the last that an edge's watch has told of each pod; `isThere`: its EdgeReport. */
#ifdef ANY_PLAN
byte state[EDGES] = {SERVING, DOWN};
byte seen[EDGES * MODELS] = {8, 8, GONE, 0, 0, 0};
bit isThere[EDGES] = {1, 0};
#else
byte state[EDGES] = {SERVING, SERVING};
byte seen[EDGES * MODELS] = {8, 8, GONE, 8, 8, GONE};
bit isThere[EDGES] = {1, 1};
#endif
bit hasHeard[EDGES]; /* of the deletion */
#ifdef ACK_FIRST
byte table[EDGES * MODELS] = {8, 8, GONE, 0, 0, 0}; /* where it sends requests: behind what it acknowledges */
#else
#define table seen
#endif
/* A silent edge neither hears nor is heard. */
#define CUT_OFF 1 /* it serves on */
#define STOPPED 2 /* it does nothing at all */
byte silent[EDGES];

/* The clients. */
#define IDLE 0
#define WAITS 1 /* and the model */
#define FLIES 4 /* and the model */
byte client[CLIENTS];
#define isWaiting(s) ((s) >= WAITS && (s) < FLIES)
#define isFlying(s) ((s) >= FLIES)

/* What the EdgeReports say. */
byte acks[EDGES * MODELS]; /* where the pod was when its gate was seen closed; 0: it was not */
byte said[CLIENTS];

/* The operator that leads: its writes that are on their way, each with the state that it was decided on. */
#define NONE 0
#define OPEN 1
#define DELETE 2
#define CLOSE 3 /* and the cause */
#define EVICTED 0 /* may be taken back, or not any more */
#define ANYWAY 1 /* is never taken back */
#define FOR_IDLENESS 2 /* is always taken back when the model is wanted */
byte wr[MODELS];
byte base[MODELS];
/* One whose answer is not waited for any more, since its leader is gone or its time was over. It may still arrive. */
byte late;
byte lateBase;
byte latePod;
/* Whose word is needed, and for which closing of the gate. */
byte listedFor[MODELS];
byte witnesses[MODELS]; /* a bit for each edge */
bit wasIdle[MODELS]; /* at the first look at its slots */
#ifdef ANY_PLAN
byte orders = ORDERS;
#else
byte cause[MODELS];
bit operatorHasHeard;
byte idleDrains = IDLE_DRAINS;
byte asks[CLIENTS] = {ASKS, OTHER_ASKS};
byte ended;
bit isForEver; /* nobody wakes the edge that is silent */
#endif
byte edgeCrashes = EDGE_CRASHES, leaderCrashes = LEADER_CRASHES, silences = SILENCES, lostWrites = LOST_WRITES, removals = REMOVALS;

byte i; /* 0 between two steps */

#ifdef ANY_PLAN
#define maySend(c, m) (client[c] == IDLE)
#define noteEnd skip
#else
#define maySend(c, m) (client[c] == WAITS + (m))
#define mayAsk(c) (asks[c] > 0)
#define noteAsk(c) asks[c]--
#define noteEnd ended++
#endif
#ifdef CUT_IS_NO_END
#define noteCut skip
#else
#define noteCut noteEnd
#endif

#define isAt(c, m) (client[c] == FLIES + (m))
#define isBusy(m) (isAt(0, m) || isAt(1, m))
#define anySaid(e, s) (isThere[e] && said[e] == (s))
#ifdef ANY_PLAN
#define told(c) (isFlying(client[c]) -> client[c] : IDLE) /* nobody asks who waits */
#else
#define told(c) client[c]
#endif
#define ackOf(p) (isClosed(p) -> (p) : 0)
#define holds(m) (stageOf(pod[m]) != GONE)
#define held (holds(0) + holds(1) + holds(2))

/* ---- an edge ---- */

/* Rule (a): the report comes first, then the list. */
#ifdef NO_LIST_AGAIN
#define BEFORE_REPORT STARTING
#define AFTER_REPORT SERVING
#define BEFORE_LIST DOWN
#define AFTER_LIST STARTING
#else
#define BEFORE_REPORT DOWN
#define AFTER_REPORT STARTING
#define BEFORE_LIST STARTING
#define AFTER_LIST SERVING
#endif

/* A newer life: nobody waits for the word of the earlier one any more. */
inline register(e) {
  d_step {
    state[e] == BEFORE_REPORT ->
    printf("edge %d [ReportWriter.start] reports for the first time\n", e);
    state[e] = AFTER_REPORT;
    isThere[e] = 1;
    for (i : 0 .. MODELS - 1) { acks[at(e, i)] = 0; witnesses[i] = witnesses[i] & ~(1 << e) }
    said[e] = IDLE;
    i = 0
  }
}

inline listAll(e) {
  d_step {
    state[e] == BEFORE_LIST ->
    printf("edge %d [RouteFollower.start] lists pods and ModelDeployments\n", e);
    state[e] = AFTER_LIST;
#ifndef ANY_PLAN
    hasHeard[e] = (removed != NOBODY);
#endif
    for (i : 0 .. MODELS - 1) { seen[at(e, i)] = pod[i]; table[at(e, i)] = pod[i] }
    i = 0
  }
}

#define hears(e) (state[e] == SERVING && silent[e] == 0)
#define works(e) (state[e] == SERVING && silent[e] != STOPPED)

/* Rule (c): from the tick in which a closed gate is published, and so reported, nothing is sent there. */
#ifdef ANY_PLAN
/* The watch tells each change of a pod in its order, as late as it likes; of one that is gone, the last; of others before or after. */
#define isSamePod(e, m) (lifeOf(seen[at(e, m)]) == lifeOf(pod[m]))
#define nextOf(e, m) \
  (stageOf(pod[m]) >= LEAVING || seen[at(e, m)] > pod[m] -> pod[m] : \
    (isSamePod(e, m) -> seen[at(e, m)] + 1 : 8 * lifeOf(pod[m])))
inline publish(e, m) {
  d_step {
    hears(e) && seen[at(e, m)] != pod[m] ->
    seen[at(e, m)] = nextOf(e, m);
    printf("edge %d [RouteFollower.publish] obeys what it hears of pod %d: gate %d\n", e, m, stageOf(seen[at(e, m)]))
  }
}
#else
/* As late as it likes, and then all that there is. */
inline publishAll(e) {
  d_step {
    hears(e) && (seen[at(e, 0)] != pod[0] || seen[at(e, 1)] != pod[1] || seen[at(e, 2)] != pod[2] ||
      (removed != NOBODY && !hasHeard[e])) ->
    for (i : 0 .. MODELS - 1) { seen[at(e, i)] = pod[i] }
    i = 0;
    hasHeard[e] = (removed != NOBODY);
    printf("edge %d [RouteFollower.publish] obeys what it hears of all pods\n", e)
  }
}
#endif

#ifdef ACK_FIRST
inline publishTable(e, m) {
  d_step {
    hears(e) && table[at(e, m)] != seen[at(e, m)] ->
    table[at(e, m)] = seen[at(e, m)];
    printf("edge %d obeys only now what it has heard of pod %d\n", e, m)
  }
}
#endif

#ifdef REPORT_AGAIN
#define MAY_REPORT_AGAIN 1 ||
#else
#define MAY_REPORT_AGAIN
#endif
#define hasNews(e, m) (acks[at(e, m)] != ackOf(seen[at(e, m)]))
inline report(e) {
  d_step {
    hears(e) && (MAY_REPORT_AGAIN said[e] != told(e) || hasNews(e, 0) || hasNews(e, 1) || hasNews(e, 2)) ->
    printf("edge %d [buildReport] reports all that it knows, as of one tick\n", e);
    isThere[e] = 1;
    for (i : 0 .. MODELS - 1) { acks[at(e, i)] = ackOf(seen[at(e, i)]) }
    said[e] = told(e);
    i = 0
  }
}

/* ---- a client at its edge ---- */

#define hasRoute(e, m) (!(hasHeard[e] && removed == (m)))
inline ask(c, m) {
  d_step {
    client[c] == IDLE && works(c) && hasRoute(c, m) && mayAsk(c) ->
    printf("client %d [HoldQueue.join] waits for model %d\n", c, m);
    client[c] = WAITS + m;
    noteAsk(c)
  }
}

/* A pod that is not there any more takes no connection: nothing was sent, and the request waits on. */
#define answers(e, m) (lifeOf(seen[at(e, m)]) == lifeOf(pod[m]) && stageOf(pod[m]) < LEAVING)
inline send(c, m) {
  d_step {
    maySend(c, m) && works(c) && hasRoute(c, m) && isOpen(table[at(c, m)]) && answers(c, m) ->
    printf("client %d [PresetAccount.begin] is sent to pod %d, and counted there\n", c, m);
    client[c] = FLIES + m
  }
}

inline finish(c) {
  d_step {
    isFlying(client[c]) && works(c) ->
    printf("client %d [PresetAccount.#end] has its whole answer\n", c);
    client[c] = IDLE;
    noteEnd
  }
}

inline answerMissing(c) {
  d_step {
    isWaiting(client[c]) && works(c) && !hasRoute(c, client[c] - WAITS) ->
    printf("client %d [modelNotFound] is answered 404\n", c);
    client[c] = IDLE;
    noteEnd
  }
}

/* ---- the operator that leads: what it plans ---- */

#define isOwed(e, m) ((witnesses[m] & (1 << (e))) && isThere[e] && !acked(e, m))
#ifdef ANY_ACK
#define acked(e, m) (acks[at(e, m)] != 0)
#else
#define acked(e, m) (acks[at(e, m)] == pod[m])
#endif
#define reportsFlight(e, m) anySaid(e, FLIES + (m))
#define isHeldBy(e, m) (isOwed(e, m) || reportsFlight(e, m))
#define isReady(m) (isClosed(pod[m]) && wr[m] == NONE && listedFor[m] == pod[m])

#ifdef ANY_PLAN
#define mayClose(m, why) (orders > 0)
#define mayTakeBack(m) (orders > 0)
#define mayStop(m) 1
#define mayStart(m) (orders > 0)
#define noteOrder orders--
#define noteDrain(m, why) noteOrder
#else
#define isMissing(m) (removed == (m) && operatorHasHeard)
#define isWanted(m) (!isMissing(m) && (anySaid(0, WAITS + (m)) || anySaid(1, WAITS + (m))))
#define isUsed(m) (reportsFlight(0, m) || reportsFlight(1, m))
#define isIdle(m) (isOpen(pod[m]) && wr[m] == NONE && !isWanted(m) && !isUsed(m))
/* Somebody waits who is able to be served: that takes no long time. */
#define willServe(e, m) (anySaid(e, WAITS + (m)) && !isDown(e) && silent[e] == 0)
#define needsRoom(m) (isWanted(m) && stageOf(pod[m]) == GONE)
#define isOnItsWay(m) (holds(m) && (!isOpen(pod[m]) || wr[m] != NONE))
#define lacksRoom (held >= ROOM && (needsRoom(0) || needsRoom(1) || needsRoom(2)) \
  && !isOnItsWay(0) && !isOnItsWay(1) && !isOnItsWay(2))
#define mayClose(m, why) ((why == FOR_IDLENESS && ((isIdle(m) && idleDrains > 0) || isMissing(m))) \
  || (why == EVICTED && lacksRoom && isIdle(m)) \
  || (why == ANYWAY && lacksRoom && !isIdle(0) && !isIdle(1) && !isIdle(2) && !willServe(0, m) && !willServe(1, m)))
#define mayTakeBack(m) (isWanted(m) && cause[m] != ANYWAY)
#define mayStop(m) (!(isWanted(m) && cause[m] == FOR_IDLENESS && stageOf(pod[m]) < GATES))
#define mayStart(m) isWanted(m)
#define noteOrder skip
#define noteDrain(m, why) if :: why == FOR_IDLENESS && !isMissing(m) -> idleDrains-- :: else fi
#endif

#ifndef ANY_PLAN
inline hearOfRemoval() {
  d_step {
    removed != NOBODY && !operatorHasHeard ->
    printf("operator [ControlLoop.setCatalog] nobody declares model %d any more\n", removed);
    operatorHasHeard = 1
  }
}
#endif

/* A write is on its way for as long as it likes, one at a time for each pod. */
inline order(m, kind) {
#ifdef ANY_PLAN
  wr[m] = kind;
  base[m] = pod[m]
#else
  apply(m, kind, pod[m])
#endif
}

/* A gate that has no number left is not closed any more: the model ends there, and not the protocol. */
inline drain(m, why) {
  d_step {
    m < TOUCHED && isOpen(pod[m]) && wr[m] == NONE && stageOf(pod[m]) < GATES && mayClose(m, why) ->
    printf("operator [KubernetesBackend.apply] drain: closes the gate of pod %d\n", m);
    noteDrain(m, why);
    order(m, (CLOSE + why))
#ifdef LIST_BEFORE_CLOSING
    ;
    listedFor[m] = pod[m] + 1;
    witnesses[m] = isThere[0] + 2 * isThere[1]
#endif
  }
}

inline takeBack(m) {
  d_step {
    m < TOUCHED && isClosed(pod[m]) && wr[m] == NONE && stageOf(pod[m]) < GATES && mayTakeBack(m) ->
    printf("operator [KubernetesBackend.apply] cancel: opens the gate of pod %d\n", m);
    noteOrder;
    order(m, OPEN)
  }
}

/* Rule (d): everybody who is to be asked has acknowledged this very closing, and nobody reports a request there. */
inline stop(m) {
  d_step {
    isReady(m) && !isHeldBy(0, m) && !isHeldBy(1, m) && mayStop(m) ->
    printf("operator [KubernetesBackend.apply] stop: deletes pod %d\n", m);
    order(m, DELETE)
  }
}

/*
 * Rule (e): only edges that are silent hold it up, and its slots are idle at two looks. The second look and the deletion are
 * one step: what an edge that is presumed dead sends between the two is not promised.
 */
#define isPresumable(e, m) (!isHeldBy(e, m) || silent[e] != 0)
#define canBePresumed(m) (isReady(m) && (isHeldBy(0, m) || isHeldBy(1, m)) && isPresumable(0, m) && isPresumable(1, m))
inline look(m) {
  d_step {
    canBePresumed(m) && !wasIdle[m] && !isBusy(m) && mayStop(m) ->
    printf("operator finds the slots of pod %d idle, once [rowAfter]\n", m);
    wasIdle[m] = 1
  }
}
inline lookAgain(m) {
  d_step {
    canBePresumed(m) && wasIdle[m] && mayStop(m) ->
    wasIdle[m] = 0;
    if
    :: isBusy(m) -> printf("operator finds the slots of pod %d busy [rowAfter]\n", m)
    :: else -> printf("operator finds the slots of pod %d idle, twice, and deletes it [showsIdle]\n", m); apply(m, DELETE, pod[m])
    fi
  }
}

/* A name is given once, and nothing is made for a ModelDeployment that is gone. It holds its place from then on. */
#ifdef FREE_AT_DELETE
#define isFull ((stageOf(pod[0]) < LEAVING) + (stageOf(pod[1]) < LEAVING) + (stageOf(pod[2]) < LEAVING) >= ROOM)
#else
#define isFull (held >= ROOM)
#endif
#ifdef CREATE_UNASKED
#define mayBeMade(m) 1
#else
#define mayBeMade(m) (removed != (m))
#endif
inline start(m) {
  d_step {
    m < TOUCHED && stageOf(pod[m]) == GONE && lifeOf(pod[m]) < LIVES && wr[m] == NONE && !isFull && mayStart(m) && mayBeMade(m) ->
    printf("operator [PodWrites.create] creates pod %d\n", m);
    noteOrder;
    pod[m] = 8 * (lifeOf(pod[m]) + 1);
    assert(held <= ROOM); /* S1: capacity is never exceeded */
    assert(removed != m) /* S3: nothing is made for what is gone */
  }
}

/* ---- the operator that leads: what it knows of edges ---- */

#define needsList(m) (isClosed(pod[m]) && listedFor[m] != pod[m])
/* Rule (b): after the gate's write was answered, all edges that report are listed by quorum. */
inline listEdges() {
  d_step {
    needsList(0) || needsList(1) || needsList(2) ->
    printf("operator [DrainWitnesses.#listFor] lists the edges that report\n");
    for (i : 0 .. MODELS - 1) {
      if
      :: needsList(i) -> listedFor[i] = pod[i]; witnesses[i] = isThere[0] + 2 * isThere[1]
      :: else
      fi
    }
    i = 0
  }
}

/* Rule (d): its pod is gone, which a quorum read proves. An expired Lease proves nothing. */
#ifdef EXPIRED_IS_DEAD
#define isDead(e) (isDown(e) || silent[e] != 0)
#elif defined(NEVER_BURIED)
#define isDead(e) 0
#else
#define isDead(e) isDown(e)
#endif
inline bury(e) {
  d_step {
    isThere[e] && isDead(e) ->
    printf("operator [EdgeRegistry.bury] takes edge %d for dead\n", e);
    isThere[e] = 0;
    for (i : 0 .. MODELS - 1) { acks[at(e, i)] = 0; witnesses[i] = witnesses[i] & ~(1 << e) }
    said[e] = IDLE;
    i = 0
  }
}

/* ---- the API server ---- */

/* What was decided on another state is a conflict, and is decided anew. */
#if defined(CANCEL_BLIND)
#define isRefused(m, kind, on) (kind == OPEN -> stageOf(pod[m]) >= LEAVING : pod[m] != (on))
#elif defined(DELETE_BLIND)
#define isRefused(m, kind, on) (kind == DELETE -> stageOf(pod[m]) >= LEAVING : pod[m] != (on))
#else
#define isRefused(m, kind, on) (pod[m] != (on))
#endif
inline apply(m, kind, on) {
  if
  :: isRefused(m, kind, on) -> printf("API server: conflict at pod %d\n", m)
  :: else ->
    if
    :: kind == DELETE ->
      assert(!isBusy(m)); /* S2: no request is cut */
      pod[m] = 8 * lifeOf(pod[m]) + LEAVING;
      printf("API server: pod %d is being deleted\n", m)
    :: else ->
      pod[m] = 8 * lifeOf(pod[m]) + stageOf(on) + 1;
      printf("API server: the gate of pod %d is at %d\n", m, stageOf(pod[m]))
#ifndef ANY_PLAN
      ;
      if :: kind >= CLOSE -> cause[m] = kind - CLOSE :: else -> cause[m] = 0 fi
#endif
    fi;
    wasIdle[m] = 0
#ifndef LIST_BEFORE_CLOSING
    ;
    listedFor[m] = 0;
    witnesses[m] = 0
#endif
  fi
}

inline arrive(m) {
  d_step {
    wr[m] != NONE ->
    printf("API server [PodWrites.carryOut] has a write to pod %d, decided on at gate %d\n", m, stageOf(base[m]));
    apply(m, wr[m], base[m]);
    wr[m] = NONE;
    base[m] = 0
  }
}

inline arriveLate() {
  d_step {
    late != NONE ->
    printf("API server [PodWrites.carryOut] has a late write to pod %d, decided on at gate %d\n", latePod, stageOf(lateBase));
    apply(latePod, late, lateBase);
    forget()
  }
}
inline forget() {
  late = NONE;
  lateBase = 0;
  latePod = 0
}

inline vanish(m) {
  d_step {
    stageOf(pod[m]) == LEAVING ->
    printf("kubelet: pod %d is gone\n", m);
    pod[m] = 8 * lifeOf(pod[m]) + GONE;
    listedFor[m] = 0;
    witnesses[m] = 0
  }
}

/* ---- what goes wrong ---- */

#define mayFail(budget) (budget > 0)
#define noteFault(budget) budget--
#ifdef ANY_PLAN
#define mayWake 1
#define noteLength(howLong) skip
#else
#define mayWake (!isForEver)
#define noteLength(howLong) isForEver = howLong
#endif

/* Its clients are cut, which nobody can help. Its report is left. */
inline crash(e, after) {
  d_step {
    !isDown(e) && mayFail(edgeCrashes) ->
    printf("edge %d is killed\n", e);
    noteFault(edgeCrashes);
    state[e] = after;
    silent[e] = 0;
    hasHeard[e] = 0;
    for (i : 0 .. MODELS - 1) { seen[at(e, i)] = 0; table[at(e, i)] = 0 }
    i = 0;
    if
    :: client[e] != IDLE -> client[e] = IDLE; noteCut
    :: else
    fi
  }
}

inline fallSilent(e, how, howLong) {
  d_step {
    hears(e) && mayFail(silences) ->
    printf("edge %d is silent: nobody hears of it, and it hears nothing\n", e);
    noteFault(silences);
    noteLength(howLong);
    silent[e] = how
  }
}

inline wake(e) {
  d_step {
    silent[e] != 0 && mayWake ->
    printf("edge %d is silent no more\n", e);
    silent[e] = 0
  }
}

/* The leader does not wait for the answer any more, and reads back what there is. The write may still arrive. */
inline giveUp(m) {
  late = wr[m];
  lateBase = base[m];
  latePod = m;
  wr[m] = NONE;
  base[m] = 0
}
inline loseAnswer(m) {
  d_step {
    wr[m] != NONE && late == NONE && mayFail(lostWrites) ->
    printf("operator [PodWrites.readBack] does not wait for the answer to a write to pod %d any more\n", m);
    noteFault(lostWrites);
    giveUp(m)
  }
}
inline loseWrite() {
  d_step {
    late != NONE ->
    printf("a write to pod %d is lost\n", latePod);
    forget()
  }
}

/* Another one leads: it reads pods and reports by quorum, and knows nothing else. */
inline changeLeader() {
  d_step {
    mayFail(leaderCrashes) && !(wr[0] == NONE && wr[1] == NONE && wr[2] == NONE && listedFor[0] == 0 && listedFor[1] == 0 &&
      listedFor[2] == 0) ->
    printf("operator [Operator.lead] another one leads\n");
    noteFault(leaderCrashes);
    for (i : 0 .. MODELS - 1) {
      if
      :: wr[i] != NONE && late == NONE -> giveUp(i)
      :: else -> wr[i] = NONE; base[i] = 0
      fi;
      listedFor[i] = 0;
      witnesses[i] = 0;
      wasIdle[i] = 0
    }
    i = 0
  }
}

inline remove(m) {
  d_step {
    removed == NOBODY && mayFail(removals) ->
    printf("somebody deletes the ModelDeployment of model %d\n", m);
    noteFault(removals);
    removed = m
  }
}

/* ---- all together ---- */

#define EACH(step) :: step(0) :: step(1) :: step(2)
#define EACH_AT(step, x) :: step(x, 0) :: step(x, 1) :: step(x, 2)

active [EDGES] proctype edge() {
end:
  do
  :: register(_pid)
  :: listAll(_pid)
  :: report(_pid)
#ifdef ANY_PLAN
  EACH_AT(publish, _pid)
#else
  :: publishAll(_pid)
#endif
#ifdef ACK_FIRST
  EACH_AT(publishTable, _pid)
#endif
  od
}

active [CLIENTS] proctype asker() {
end:
  do
  EACH_AT(send, (_pid - EDGES))
  :: finish((_pid - EDGES))
#ifndef ANY_PLAN
  EACH_AT(ask, (_pid - EDGES))
  :: answerMissing((_pid - EDGES))
#endif
  od
}

active proctype operator() {
end:
  do
#define EACH_CAUSE(m) :: drain(m, EVICTED) :: drain(m, ANYWAY) :: drain(m, FOR_IDLENESS)
#ifdef ANY_PLAN
  :: drain(0, EVICTED) :: drain(1, EVICTED) :: drain(2, EVICTED)
#else
  EACH_CAUSE(0)
  EACH_CAUSE(1)
  EACH_CAUSE(2)
  :: hearOfRemoval()
#endif
  EACH(takeBack)
  EACH(stop)
#ifndef NO_LOOKS
  EACH(look)
  EACH(lookAgain)
#endif
  EACH(start)
  :: listEdges()
  :: bury(0)
  :: bury(1)
  od
}

active proctype cluster() {
end:
  do
  EACH(arrive)
  :: arriveLate()
  EACH(vanish)
  od
}

active proctype trouble() {
end:
  do
  :: crash(0, DOWN) :: crash(1, DOWN)
#ifdef ANY_PLAN
  :: fallSilent(0, CUT_OFF, 0) :: fallSilent(1, CUT_OFF, 0)
#else
  :: crash(0, DEAD) :: crash(1, DEAD)
  :: fallSilent(0, CUT_OFF, 0) :: fallSilent(1, CUT_OFF, 0) :: fallSilent(0, CUT_OFF, 1) :: fallSilent(1, CUT_OFF, 1)
  :: fallSilent(0, STOPPED, 0) :: fallSilent(1, STOPPED, 0) :: fallSilent(0, STOPPED, 1) :: fallSilent(1, STOPPED, 1)
#endif
  :: wake(0)
  :: wake(1)
  EACH(loseAnswer)
  :: loseWrite()
  :: changeLeader()
#ifndef ANY_PLAN
  EACH(remove)
#endif
  od
}

#ifndef ANY_PLAN
/* A stopped edge that never wakes up keeps the requests that it has. */
#define keeps(e, m) (silent[e] == STOPPED && isAt(e, m))
#define isKept(m) (keeps(0, m) || keeps(1, m))
#define isBlocked ((isKept(0) && !isOpen(pod[0])) || (isKept(1) && !isOpen(pod[1])) || (isKept(2) && !isOpen(pod[2])) \
  || isKept(0) + isKept(1) + isKept(2) >= ROOM)
byte left;
active proctype theEnd() {
  atomic {
    timeout ->
    for (i : 0 .. CLIENTS - 1) {
      if :: client[i] != IDLE -> left++ :: else fi;
      assert(client[i] == IDLE || silent[i] != 0 || (isWaiting(client[i]) && isBlocked)) /* nobody waits for ever */
    }
    i = 0;
    for (i : 0 .. CLIENTS - 1) { ended = ended + asks[i] }
    assert(ended + left == ASKS + OTHER_ASKS) /* S9: each request has one end */
  }
}
#endif
