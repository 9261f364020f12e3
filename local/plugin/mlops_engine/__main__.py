"""Start MiniStack with the loop's additions: `python -m mlops_engine`."""

from . import settings as settings_module


def main() -> None:
    settings = settings_module.read()
    # MiniStack reads its environment at import, so it is imported only now.
    from ministack import app

    from . import install

    install.install(settings)
    app.main()


if __name__ == '__main__':
    main()
