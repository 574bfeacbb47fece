<?php

// The client of DataPorter Hub for learning platforms in PHP 8.1 or newer. One file without dependencies.

declare(strict_types=1);

namespace DataPorter;

/** The hub refused a whole request, or could not be reached however often it was tried. */
final class HubException extends \RuntimeException
{
}

/** Publishes events and reports progress. A request without an answer is repeated with the same ids. */
final class Hub
{
    /** The maximum number of events in a request. */
    public const MAX_EVENTS = 500;

    /** Answers after which the same request may be sent again. */
    private const RETRIED = [429, 500, 502, 503, 504];

    /** The longest pause between two attempts, in seconds. */
    private const MAX_PAUSE = 30;

    /**
     * @param string $url The address of the hub, such as https://hub.academy.org
     * @param string $webhookSecret PLATFORM_WEBHOOK_SECRET of the hub, for publish()
     * @param string $token An API token with the scope RECORD, for reportProgress()
     * @param int $attempts How often a request is tried
     * @param int $timeout How long an answer is waited for, in seconds
     */
    public function __construct(
        private readonly string $url,
        #[\SensitiveParameter] private readonly string $webhookSecret = '',
        #[\SensitiveParameter] private readonly string $token = '',
        private readonly int $attempts = 4,
        private readonly int $timeout = 10,
    ) {
    }

    /** A new id for an event. Keep it, so that the event can be sent again with the same id. */
    public static function newId(): string
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
        $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }

    /**
     * An event, with a new id unless the fields have one.
     *
     * @param string $kind practiceReserved, reservationCancelled, practicePackagePurchased, practiceSessionConsumed or
     *     practiceRequestEscalated
     * @param array<string, mixed> $fields The fields of the event. Times are DateTimeInterface or RFC 3339.
     * @return array<string, array<string, mixed>>
     */
    public static function event(string $kind, array $fields): array
    {
        foreach ($fields as $name => $value) {
            if ($value instanceof \DateTimeInterface) {
                $fields[$name] = $value->format('Y-m-d\TH:i:s.uP');
            }
        }
        return [$kind => ['eventId' => self::newId(), ...$fields]];
    }

    /**
     * Publishes events, in order. Each is judged by itself.
     *
     * @param list<array<string, array<string, mixed>>|object> $events From event()
     * @return list<array{eventId: ?string, applied: bool, duplicate: bool, snapshotIds: list<string>, error: ?array<string, ?string>}>
     *     The result of each event. After an error with the code INTERNAL the event can be sent again.
     * @throws HubException The hub was not reached or refused the request. Events of earlier requests may be applied, so
     *     send all of them again with the same ids.
     */
    public function publish(array $events): array
    {
        $results = [];
        foreach (array_chunk($events, self::MAX_EVENTS) as $chunk) {
            $body = self::encode(['events' => $chunk]);
            $answer = $this->post('/api/platform/events', $body, function () use ($body): array {
                // Signed again for each attempt, since a signature is valid for five minutes.
                $now = (string) time();
                $signature = hash_hmac('sha256', "$now.$body", $this->webhookSecret);
                return ["Dataporter-Timestamp: $now", "Dataporter-Signature: v1=$signature"];
            });
            array_push($results, ...$answer['results']);
        }
        return $results;
    }

    /**
     * Reports a viewer's progress in a lesson's video.
     *
     * @param array<string, mixed> $report lessonId, source (vimeo, cloudflare or youtube), lastSecond, and optionally
     *     watchedSeconds, duration, playbackRate, metadata, clientEventId
     * @return array<string, mixed> The progress after it: lastSecond, furthestSecond, watchedSeconds, updatedAt
     * @throws HubException
     */
    public function reportProgress(int $userId, array $report): array
    {
        $body = self::encode(['clientEventId' => self::newId(), ...$report, 'userId' => (string) $userId]);
        return $this->post('/api/video/progress', $body, fn (): array => ["Authorization: Bearer $this->token"]);
    }

    /**
     * @param callable(): list<string> $headers
     * @return array<string, mixed>
     */
    private function post(string $path, string $body, callable $headers): array
    {
        for ($attempt = 1;; $attempt++) {
            [$status, $answer, $retryAfter] = $this->request($path, $body, $headers());
            $decoded = json_decode($answer, true);
            if ($status === 200 && is_array($decoded)) {
                return $decoded;
            }
            // An answer of 200 that is cut off counts as lost.
            $isRetried = in_array($status, [0, 200, ...self::RETRIED], true);
            if (!$isRetried || $attempt >= $this->attempts) {
                $detail = is_array($decoded) ? ($decoded['detail'] ?? $answer) : $answer;
                throw new HubException("DataPorter Hub answered $status: $detail", $status);
            }
            // Twice as long each time, and not the same for all clients.
            $pause = $retryAfter ?? 2 ** ($attempt - 1) * random_int(50, 100) / 100;
            usleep((int) (min($pause, self::MAX_PAUSE) * 1_000_000));
        }
    }

    /**
     * @param list<string> $headers
     * @return array{int, string, ?float} The status (0 without an answer), the body, and Retry-After in seconds
     */
    private function request(string $path, string $body, array $headers): array
    {
        $http = [
            'method' => 'POST',
            'header' => ['Content-Type: application/json', 'Connection: close', ...$headers],
            'content' => $body,
            'timeout' => $this->timeout,
            'ignore_errors' => true,
            'follow_location' => 0,
        ];
        $stream = @fopen(rtrim($this->url, '/') . $path, 'r', false, stream_context_create(['http' => $http]));
        if ($stream === false) {
            return [0, error_get_last()['message'] ?? 'no answer', null];
        }
        $answer = (string) stream_get_contents($stream);
        $meta = stream_get_meta_data($stream);
        fclose($stream);
        if ($meta['timed_out']) {
            return [0, "no complete answer within $this->timeout seconds", null];
        }
        $retryAfter = null;
        foreach ($meta['wrapper_data'] as $line) {
            if (preg_match('/^Retry-After:\s*(\d+)/i', $line, $found)) {
                $retryAfter = (float) $found[1];
            }
        }
        preg_match('/^HTTP\/\S+ (\d+)/', $meta['wrapper_data'][0] ?? '', $found);
        return [(int) ($found[1] ?? 0), $answer, $retryAfter];
    }

    private static function encode(mixed $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION);
    }
}

/**
 * Events that wait to be published, in a table of the platform (outbox.sql). They are added in the transaction of the change
 * that they report, so none is lost and none is published for a change that was rolled back.
 */
final class Outbox
{
    public function __construct(private readonly \PDO $pdo, private readonly string $table = 'dataporter_outbox')
    {
        if (!preg_match('/^[A-Za-z0-9_.]+$/', $table)) {
            throw new \InvalidArgumentException("Not the name of a table: $table");
        }
        $pdo->setAttribute(\PDO::ATTR_ERRMODE, \PDO::ERRMODE_EXCEPTION);
    }

    /** Adds an event from Hub::event(). Call it in the transaction of the change. */
    public function add(array $event): void
    {
        $content = json_encode($event, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION);
        $id = current($event)['eventId'];
        $this->pdo->prepare("INSERT INTO $this->table (event_id, event) VALUES (?, ?)")->execute([$id, $content]);
    }

    /**
     * Publishes the waiting events in the order in which they were added, and removes those that are applied. Refused ones stay
     * with their reason. Run it every minute, one at a time.
     *
     * @return int The number of events that were applied
     * @throws HubException Nothing was removed.
     */
    public function send(Hub $hub, int $limit = Hub::MAX_EVENTS): int
    {
        $waiting = $this->pdo->query("SELECT event_id, event FROM $this->table WHERE reason IS NULL ORDER BY id LIMIT $limit");
        $events = $waiting->fetchAll(\PDO::FETCH_KEY_PAIR);
        if ($events === []) {
            return 0;
        }
        // As objects, since an empty object would become an empty list.
        $decode = fn (string $event): object => json_decode($event, false, 512, JSON_THROW_ON_ERROR);
        $results = $hub->publish(array_map($decode, array_values($events)));
        $applied = 0;
        $remove = $this->pdo->prepare("DELETE FROM $this->table WHERE event_id = ?");
        $refuse = $this->pdo->prepare("UPDATE $this->table SET reason = ?, message = ? WHERE event_id = ?");
        foreach (array_keys($events) as $position => $id) {
            $error = $results[$position]['error'];
            if ($error === null) {
                $remove->execute([$id]);
                $applied++;
            } elseif ($error['code'] !== 'INTERNAL') {
                $refuse->execute([$error['reason'], $error['message'], $id]);
            }
        }
        return $applied;
    }

    /** Lets refused events be published again, for example after the missing rows were mirrored. Returns their number. */
    public function retryRefused(): int
    {
        return (int) $this->pdo->exec("UPDATE $this->table SET reason = NULL, message = NULL WHERE reason IS NOT NULL");
    }
}
